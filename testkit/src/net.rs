//! Addresses on this machine for programs that a test starts.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// The first port of the range. The system uses higher ports for outgoing connections, and `cluster/up` uses others.
const FIRST: u16 = 10_000;
/// The number of ports in the range.
const COUNT: u16 = 10_000;

/// Returns an address of the loopback interface on which no program listens.
///
/// A port that the system chooses for `127.0.0.1:0` may be used for an outgoing connection before the program under test listens on
/// it. The ports of this function cannot.
///
/// # Errors
///
/// All ports of the range are in use.
///
/// ```
/// use std::net::TcpListener;
///
/// let address = xposer_testkit::net::free_address()?;
/// assert!(TcpListener::bind(address).is_ok());
/// assert_ne!(xposer_testkit::net::free_address()?, address);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn free_address() -> io::Result<SocketAddr> {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Each process starts at a different port, so that concurrent tests rarely compete.
    let begin = std::process::id().wrapping_mul(101);
    for _ in 0..COUNT {
        let given = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let offset = begin.wrapping_add(given) % u32::from(COUNT);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + offset as u16));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
