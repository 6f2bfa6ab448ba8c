//! Parses any text as a forwarded block: there is never a panic, every key occurs once, and every range gives back its text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|block: &str| {
    let (parsed, problems) = xposer::internal::block::parse(block);
    for line in parsed.lines() {
        assert_eq!(block.get(line.key_range.clone()), Some(line.key));
        assert_eq!(block.get(line.value_range.clone()), Some(line.value));
    }
    let keys: std::collections::HashSet<_> = parsed.lines().iter().map(|line| line.key).collect();
    assert_eq!(keys.len(), parsed.lines().len());
    assert!(keys.iter().all(|key| parsed.contains(key)));
    for problem in problems {
        assert!(problem.range.is_none_or(|range| block.get(range).is_some()));
    }
});
