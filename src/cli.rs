//! The command line: what the binary can be asked to do, and the way from words to work.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use crate::{
    control,
    generated::{self, File},
    manifests, reference,
    runtime::telemetry,
    settings::Settings,
};

/// Keeps private links between VPCs equal to what Kubernetes objects declare.
#[derive(Parser, Debug)]
#[command(name = "privatelink-operator", version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the operator: watch the objects of privatelink.dev and keep the clouds equal to them.
    ///
    /// It runs in a pod with the service account of deploy/base, or outside of a cluster with KUBECONFIG. Of several
    /// replicas one writes, the one that holds the Lease privatelink-operator; the others stand by. It ends on SIGTERM
    /// and SIGINT, after the calls that are on their way.
    ///
    /// Clouds are reached through the proxy that `HTTPS_PROXY` names, except for hosts that `NO_PROXY` lists.
    Run(Box<Settings>),

    /// Print the custom resource definitions, or write them as one YAML file a kind.
    ///
    /// Without options they are printed to the standard output, to be piped into
    /// `kubectl apply --server-side -f -`.
    Crds {
        /// Write one file a kind into this directory, instead of printing.
        #[arg(long, value_name = "DIRECTORY")]
        output_dir: Option<PathBuf>,

        /// Write nothing; fail, naming each file of the directory that is not up to date.
        #[arg(long, requires = "output_dir")]
        check: bool,
    },

    /// Write the reference pages: one a kind, one on conditions and their reasons, and one on what the operator must be
    /// allowed in the cloud, with policies to be attached there.
    Docs {
        /// The directory that the pages are written into.
        #[arg(long, value_name = "DIRECTORY", default_value = "docs/reference")]
        output_dir: PathBuf,

        /// Write nothing; fail, naming each page that is not up to date.
        #[arg(long)]
        check: bool,
    },
}

impl Cli {
    /// Does what the command line asks for; what is asked to be printed goes to `out`.
    ///
    /// # Errors
    /// With a sentence for the user: which file or stream failed, or which files are out of date
    /// and how to write them anew.
    pub fn run(self, out: &mut impl std::io::Write) -> Result<(), Error> {
        match self.command {
            Command::Run(settings) => {
                telemetry::init(settings.log_format, &settings.log)?;
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
                runtime.block_on(control::run::run(*settings)).map_err(|error| Error::Run(Box::new(error)))
            }
            Command::Crds { output_dir: None, .. } => match out.write_all(manifests::stream().as_bytes()) {
                // Who reads has read enough, as `head` does.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                printed => printed.map_err(Error::Print),
            },
            Command::Crds { output_dir: Some(directory), check } => {
                write_or_check(&directory, &manifests::files(), check, manifests::COMMAND)
            }
            Command::Docs { output_dir, check } => {
                write_or_check(&output_dir, &reference::files(), check, reference::COMMAND)
            }
        }
    }
}

fn write_or_check(directory: &Path, files: &[File], check: bool, command: &str) -> Result<(), Error> {
    if check {
        generated::check(directory, files, command)?;
    } else {
        generated::write(directory, files)?;
    }
    Ok(())
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Generated files could not be written, or are out of date.
    #[error(transparent)]
    Generated(#[from] generated::Error),
    /// The log could not be set up.
    #[error(transparent)]
    Log(#[from] telemetry::Error),
    /// The process could not be set up.
    #[error("the runtime cannot start: {0}")]
    Runtime(std::io::Error),
    /// The operator could not start, or had to end.
    #[error(transparent)]
    Run(Box<control::run::Error>),
    /// The output could not be printed.
    #[error("standard output: {0}")]
    Print(std::io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn check_without_a_directory_is_refused() {
        let error = Cli::try_parse_from(["privatelink-operator", "crds", "--check"]).expect_err("refused");
        assert!(error.to_string().contains("--output-dir"), "{error}");
    }
}
