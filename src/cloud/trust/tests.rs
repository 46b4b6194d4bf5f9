//! Bundles of certificates, good and bad.

use std::fs;

use super::*;
use crate::cloud::authority::Authority;

/// A file that is gone when this is.
struct Written(PathBuf);

impl Written {
    fn new(name: &str, text: &str) -> Self {
        let file = std::env::temp_dir().join(format!("privatelink-trust-{}-{name}.pem", std::process::id()));
        fs::write(&file, text).unwrap();
        Self(file)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

#[test]
fn a_bundle_may_hold_several_certificates_and_what_is_none() {
    let text = format!("one\n{}\r\n# two\n{}", Authority::new().pem(), Authority::new().pem());
    let bundle = Extra::read(&Written::new("two", &text).0).unwrap();
    assert_eq!(bundle.len(), 2);
    assert!(bundle.client().is_ok());
    assert!(Extra::default().is_empty());
}

#[test]
fn a_bundle_that_cannot_be_used_is_refused_with_its_flag_its_file_and_what_to_do() {
    let whole = Authority::new().pem();
    let cut = &whole[..whole.len() - 40];
    let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (name, text, said) in [
        ("empty", String::new(), "holds no certificate; write"),
        ("text", "no certificate at all".to_owned(), "holds no certificate; write"),
        ("key", key.to_owned(), "holds no certificate; write"),
        ("cut", format!("{whole}{cut}"), "certificate 2 of it is damaged; write"),
        ("other", format!("{other}{whole}"), "certificate 1 of it is damaged; write"),
    ] {
        let file = Written::new(name, &text);
        let told = Extra::read(&file.0).unwrap_err().to_string();
        assert!(told.starts_with(&format!("--extra-ca {}: ", file.0.display())), "{told}");
        assert!(told.contains(said), "{told}");
    }
    let told = Extra::read(Path::new("/nowhere/ca.pem")).unwrap_err().to_string();
    assert!(told.starts_with("--extra-ca /nowhere/ca.pem: ") && told.contains("mount the file there"), "{told}");
}
