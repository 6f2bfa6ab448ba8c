//! Any text as a forwarded block: never a panic, keys in order and once, every range where it says.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|block: &str| {
    let (parsed, problems) = xposer::request::forward::parse(block);
    for line in parsed.lines() {
        assert_eq!(block.get(line.key_range.clone()), Some(line.key));
        assert_eq!(block.get(line.value_range.clone()), Some(line.value));
    }
    assert!(parsed.lines().windows(2).all(|pair| pair[0].key < pair[1].key));
    for problem in problems {
        assert!(problem.range.is_none_or(|range| block.get(range).is_some()));
    }
});
