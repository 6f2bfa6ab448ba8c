//! Reads the files of a certificate aside from whoever serves: a read can take for ever, for example if the file system is that of another
//! machine.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::certificates::{Certificates, Pair, Reloaded};

/// How long a read is waited for. After that, it counts as a failure until it is done.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

type Read = dyn Fn(&Certificates) -> Pair + Send + Sync;

/// Reads the files of [`Certificates`] in a thread of its own, one read at a time. Neither a read that hangs nor the end of the program waits
/// for it.
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
    read: Arc<Read>,
    /// The read that is not done.
    under_way: Option<oneshot::Receiver<Pair>>,
}

impl Reader {
    /// Reads the files of these certificates.
    #[must_use]
    pub fn new(certificates: Arc<Certificates>) -> Self {
        Self { certificates, read: Arc::new(Certificates::read), under_way: None }
    }

    /// [`Certificates::reload`]. If the files cannot be read in time, the pair in use stays in use, as with files that cannot be read, and the
    /// next call waits for the same read.
    pub async fn reload(&mut self) -> Option<Reloaded> {
        let now = || Timestamp::now().as_second();
        let reading = match &mut self.under_way {
            Some(reading) => reading,
            none => match start(self.certificates.clone(), self.read.clone()) {
                Ok(reading) => none.insert(reading),
                Err(error) => {
                    return self
                        .certificates
                        .not_read(&format!("there is no thread to read the file: {error}"), now());
                }
            },
        };
        let read = timeout(READ_TIMEOUT, reading).await;
        if read.is_ok() {
            self.under_way = None;
        }
        match read {
            Ok(Ok(pair)) => self.certificates.take(pair, now()),
            Ok(Err(_)) => self.certificates.not_read("the file was not read to its end", now()),
            Err(_) => {
                let said = format!("the file and its key were not read within {} s", READ_TIMEOUT.as_secs());
                self.certificates.not_read(&said, now())
            }
        }
    }
}

/// Reads in a new thread. One of the runtime would keep the runtime from ending.
fn start(certificates: Arc<Certificates>, read: Arc<Read>) -> std::io::Result<oneshot::Receiver<Pair>> {
    let (done, reading) = oneshot::channel();
    std::thread::Builder::new().name("certificate".to_owned()).spawn(move || {
        // Nobody waits for it if the program ends.
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

    /// A time after which something hangs.
    const HANGS: Duration = Duration::from_secs(30);

    fn write(folder: &Path) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    }

    /// A reader that has a certificate, and whose next reads hang until each is let go.
    fn hanging() -> (Reader, Sender<()>, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let (path, (go, gone)) = (|name: &str| folder.path().join(name), channel());
        let certificates = Arc::new(Certificates::new(path("tls.crt"), path("tls.key")));
        assert_eq!(certificates.reload(), Some(Reloaded::Used));
        let mut reader = Reader::new(certificates);
        let gone = Mutex::new(gone);
        reader.read = Arc::new(move |certificates| {
            let _ = gone.lock().unwrap().recv();
            certificates.read()
        });
        (reader, go, folder)
    }

    fn said(reloaded: Option<Reloaded>) -> String {
        match reloaded {
            Some(Reloaded::NotUsed(said)) => said,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_that_hangs_is_told_once_and_the_pair_in_use_stays() {
        let (mut reader, go, folder) = hanging();
        let told = said(reader.reload().await);
        assert!(told.ends_with("tls.crt: the file and its key were not read within 5 s"), "{told}");
        // The next call waits for the same read, and has nothing new.
        assert_eq!(reader.reload().await, None);
        assert!(reader.certificates.is_usable() && reader.certificates.has_been_valid());
        tokio::time::resume();
        go.send(()).unwrap();
        // Nothing was changed, and all is well again.
        assert_eq!(reader.reload().await, Some(Reloaded::Used));
        write(folder.path());
        go.send(()).unwrap();
        assert_eq!(reader.reload().await, Some(Reloaded::Used));
        go.send(()).unwrap();
        assert_eq!(reader.reload().await, None);
    }

    #[test]
    fn the_end_does_not_wait_for_a_read() {
        let (mut reader, _go, _folder) = hanging();
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
        let (mut reader, _go, _folder) = hanging();
        reader.read = Arc::new(|_| std::panic::resume_unwind(Box::new(())));
        let told = said(reader.reload().await);
        assert!(told.ends_with("tls.crt: the file was not read to its end"), "{told}");
        reader.read = Arc::new(Certificates::read);
        assert_eq!(reader.reload().await, Some(Reloaded::Used));
    }
}
