//! Reads the files of a certificate in a thread of its own, because a read can block for ever, for example on a network file system, and the
//! server must go on.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::certificates::{Certificates, Pair, Reloaded};

/// The longest time to wait for a read. A read that takes longer counts as failed until it has ended.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

type ReadFiles = dyn Fn(&Certificates) -> Pair + Send + Sync;

/// Reads the files of [`Certificates`] in a thread of its own, one read at a time. A read that hangs delays neither the server nor the end of the
/// program.
///
/// ```
/// use std::sync::Arc;
/// use xposer_webhook::{Certificates, Reader, Reloaded};
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it starts");
/// # runtime.block_on(async {
/// let mut reader = Reader::new(Arc::new(Certificates::new("/nowhere/tls.crt", "/nowhere/tls.key")));
/// assert!(matches!(reader.reload().await, Some(Reloaded::NotUsed(_))));
/// assert_eq!(reader.reload().await, None);
/// # });
/// ```
pub struct Reader {
    certificates: Arc<Certificates>,
    read: Arc<ReadFiles>,
    /// The read that has not ended.
    pending: Option<oneshot::Receiver<Pair>>,
}

impl Reader {
    /// Reads the files of these certificates.
    #[must_use]
    pub fn new(certificates: Arc<Certificates>) -> Self {
        Self { certificates, read: Arc::new(Certificates::read), pending: None }
    }

    /// Like [`Certificates::reload`], with a time limit of 5 s. A read that takes longer counts as files that cannot be read, so the pair in use
    /// stays in use. The next call waits for the same read.
    pub async fn reload(&mut self) -> Option<Reloaded> {
        let now = || Timestamp::now().as_second();
        let reading = match &mut self.pending {
            Some(reading) => reading,
            none => match spawn_read(self.certificates.clone(), self.read.clone()) {
                Ok(reading) => none.insert(reading),
                Err(error) => {
                    return self.certificates.read_failed(
                        &format!("the thread that reads the file cannot start: {error}"),
                        now(),
                    );
                }
            },
        };
        let read = timeout(READ_TIMEOUT, reading).await;
        if read.is_ok() {
            self.pending = None;
        }
        match read {
            Ok(Ok(pair)) => self.certificates.apply(pair, now()),
            Ok(Err(_)) => self.certificates.read_failed("the read ended without a result", now()),
            Err(_) => {
                let message =
                    format!("the certificate and its key were not read within {} s", READ_TIMEOUT.as_secs());
                self.certificates.read_failed(&message, now())
            }
        }
    }
}

/// Reads in a new thread. The end of a runtime would wait for a thread of its own (`spawn_blocking`).
fn spawn_read(
    certificates: Arc<Certificates>,
    read: Arc<ReadFiles>,
) -> std::io::Result<oneshot::Receiver<Pair>> {
    let (done, reading) = oneshot::channel();
    std::thread::Builder::new().name("certificate".to_owned()).spawn(move || {
        // The receiver is gone if the program ends.
        let _ = done.send(read(&certificates));
    })?;
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

    use tempfile::TempDir;

    use super::*;

    /// Only a test that hangs takes so long.
    const HANGS: Duration = Duration::from_secs(30);

    fn write(folder: &Path) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    }

    /// A reader with a certificate in use. Each read of it hangs until the test sends it a signal.
    fn hanging_reader() -> (Reader, Sender<()>, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let (path, (release, released)) = (|name: &str| folder.path().join(name), channel());
        let certificates = Arc::new(Certificates::new(path("tls.crt"), path("tls.key")));
        assert_eq!(certificates.reload(), Some(Reloaded::Used));
        let mut reader = Reader::new(certificates);
        let released = Mutex::new(released);
        reader.read = Arc::new(move |certificates| {
            let _ = released.lock().unwrap().recv();
            certificates.read()
        });
        (reader, release, folder)
    }

    fn said(reloaded: Option<Reloaded>) -> String {
        match reloaded {
            Some(Reloaded::NotUsed(said)) => said,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hanging_read_is_reported_once_and_the_pair_in_use_stays() {
        let (mut reader, release, folder) = hanging_reader();
        let told = said(reader.reload().await);
        assert!(told.ends_with("tls.crt: the certificate and its key were not read within 5 s"), "{told}");
        // The next call waits for the same read, and its result is not new.
        assert_eq!(reader.reload().await, None);
        assert!(reader.certificates.is_usable() && reader.certificates.has_been_valid());
        tokio::time::resume();
        release.send(()).unwrap();
        // The files have not changed, and can be read again.
        assert_eq!(reader.reload().await, Some(Reloaded::Used));
        write(folder.path());
        release.send(()).unwrap();
        assert_eq!(reader.reload().await, Some(Reloaded::Used));
        release.send(()).unwrap();
        assert_eq!(reader.reload().await, None);
    }

    #[test]
    fn the_end_does_not_wait_for_a_read() {
        let (mut reader, _release, _folder) = hanging_reader();
        let (ended, end) = channel();
        std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_time().start_paused(true).build().unwrap();
            runtime.block_on(reader.reload());
            drop((runtime, reader));
            let _ = ended.send(());
        });
        end.recv_timeout(HANGS).expect("it hangs");
    }

    #[tokio::test]
    async fn a_read_that_ends_without_a_result_is_a_failure() {
        let (mut reader, _release, _folder) = hanging_reader();
        reader.read = Arc::new(|_| std::panic::resume_unwind(Box::new(())));
        let told = said(reader.reload().await);
        assert!(told.ends_with("tls.crt: the read ended without a result"), "{told}");
        reader.read = Arc::new(Certificates::read);
        assert_eq!(reader.reload().await, Some(Reloaded::Used));
    }
}
