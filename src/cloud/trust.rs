//! Whose certificates are believed: those that the machine trusts, and those of a bundle that the operator is given.

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

/// Certificates of authorities that are believed beside the machine's own; by default there are none.
#[derive(Clone, Debug, Default)]
pub struct Extra(Vec<CertificateDer<'static>>);

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file cannot be read.
    #[error("--extra-ca {}: {source}; mount the file there, or leave the flag out", file.display())]
    Unreadable {
        /// File.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error(
        "--extra-ca {}: it holds no certificate; write each authority's between -----BEGIN CERTIFICATE----- and \
         -----END CERTIFICATE-----",
        file.display()
    )]
    Empty {
        /// File.
        file: PathBuf,
    },
    /// One of its certificates is damaged.
    #[error("--extra-ca {}: certificate {number} of it is damaged; write it anew, whole and in PEM", file.display())]
    Damaged {
        /// File.
        file: PathBuf,
        /// Which one, from 1.
        number: usize,
    },
}

impl Extra {
    /// Reads a bundle in PEM; what else is in it is left out.
    ///
    /// # Errors
    /// If it cannot be read, holds no certificate, or one that is damaged.
    pub fn read(file: &Path) -> Result<Self, Refused> {
        let text = std::fs::read(file).map_err(|source| Refused::Unreadable { file: file.to_owned(), source })?;
        let mut certificates = Vec::new();
        for (at, certificate) in CertificateDer::pem_slice_iter(&text).enumerate() {
            let damaged = || Refused::Damaged { file: file.to_owned(), number: at + 1 };
            let certificate = certificate.map_err(|_| damaged())?;
            RootCertStore::empty().add(certificate.clone()).map_err(|_| damaged())?;
            certificates.push(certificate);
        }
        if certificates.is_empty() {
            return Err(Refused::Empty { file: file.to_owned() });
        }
        Ok(Self(certificates))
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A client's side of TLS that believes them and whom the machine trusts.
    ///
    /// # Errors
    /// If nobody is trusted, or it cannot be found out who is.
    pub fn client(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.0.iter().cloned(), Arc::clone(&provider))?;
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        // A verifier of one's own is dangerous in general; this one is the platform's.
        Ok(versions.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
    }
}
