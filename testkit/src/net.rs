//! Addresses of this machine for programs that a test starts.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// The first port that is given away. The system gives outgoing connections only higher ones, and `cluster/up` takes others.
const FIRST: u16 = 10_000;
/// How many ports there are.
const COUNT: u16 = 10_000;

/// An address of the loopback interface that nobody listens at.
///
/// A port that the system chooses for `127.0.0.1:0` can go to an outgoing connection before the program listens there that a test
/// starts. The ports of this function cannot.
///
/// # Errors
///
/// If somebody listens at all of them.
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
    // Tests that run at the same time as other processes begin at different ports.
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
