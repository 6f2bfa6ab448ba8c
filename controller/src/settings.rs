//! The settings file, which is reloaded when it changes.

use std::path::PathBuf;

use xposer::Settings;

/// The settings file, if one is configured.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    path: Option<PathBuf>,
    /// The text that was read last, even if it is invalid. Texts are compared and not modification times, because the kubelet
    /// replaces the file of a ConfigMap through symbolic links.
    text: Option<Vec<u8>>,
}

impl SettingsFile {
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        Self { path, text: None }
    }

    /// Returns the settings, if they have changed since the last call; the built-in ones if there is no file.
    ///
    /// # Errors
    ///
    /// All errors of the settings, once for each content of the file.
    pub(crate) fn read(&mut self) -> Option<Result<Settings, String>> {
        let Some(path) = &self.path else {
            return self.text.replace(Vec::new()).is_none().then(|| Ok(Settings::default()));
        };
        let name = path.display().to_string();
        let (text, settings) = match std::fs::read(path) {
            Ok(text) => (text.clone(), xposer_manifest::settings(&name, text)),
            Err(error) => {
                let message = format!("{name}: the file cannot be read: {error}");
                (message.clone().into_bytes(), Err(message))
            }
        };
        if self.text.as_deref() == Some(&text) {
            return None;
        }
        self.text = Some(text);
        Some(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.yaml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("domain: example.com");
        let mut file = SettingsFile::new(Some(path.clone()));
        assert!(file.read().is_some_and(|read| read.is_ok()));
        assert!(file.read().is_none());
        write("domian: example.com");
        let wrong = file.read().unwrap().unwrap_err();
        assert!(wrong.contains("did you mean domain?"), "{wrong}");
        assert!(file.read().is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(file.read().unwrap().unwrap_err().contains("cannot be read"));
        std::fs::write(&path, b"domain: caf\xe9.example.com").unwrap();
        let wrong = file.read().unwrap().unwrap_err();
        assert!(wrong.contains("expected UTF-8 text") && wrong.contains(":1:12"), "{wrong}");
        // The message of a YAML library does not help the author of the settings.
        write("%YAML 3.0\n---\ndomain: example.org");
        let wrong = file.read().unwrap().unwrap_err();
        assert!(
            wrong.contains("begins with `%`") && wrong.contains(":1:1") && wrong.contains("help: "),
            "{wrong}"
        );
        write("domain: example.org");
        assert!(file.read().is_some_and(|read| read.is_ok()));
    }

    #[test]
    fn settings_that_would_refuse_every_service_are_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.yaml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("domain: https://example.com");
        let mut file = SettingsFile::new(Some(path.clone()));
        // At the start.
        let wrong = file.read().unwrap().unwrap_err();
        assert!(wrong.contains("error[host-scheme]") && wrong.contains(":1:9"), "{wrong}");
        write("domain: example.com");
        assert!(file.read().is_some_and(|read| read.is_ok()));
        // After a reload.
        write("domain: example.com\nnamespaces: {team-a: {ingressNameTemplate: 'My_{{.Service}}'}}\n");
        let wrong = file.read().unwrap().unwrap_err();
        assert!(wrong.contains("settings.namespaces.team-a.ingressNameTemplate"), "{wrong}");
        assert!(file.read().is_none());
    }

    #[test]
    fn without_a_file_there_are_the_built_in_settings() {
        let mut file = SettingsFile::new(None);
        assert!(file.read().is_some_and(|read| read.is_ok()));
        assert!(file.read().is_none());
    }
}
