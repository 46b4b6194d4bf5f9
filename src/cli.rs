//! The command line: what the binary can be asked to do, and the way from words to work.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    control,
    generated::{self, File},
    manifests, reference, release,
    runtime::telemetry,
    settings::{Settings, file},
};

/// The flag that names a file of settings.
const CONFIG: &str = "config";

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

    #[command(flatten)]
    OfPeople(OfPeople),
}

/// What people do at the command line, by kubectl too.
#[derive(Subcommand, Debug)]
enum OfPeople {
    /// Take the operator's finalizer off objects that nobody looks after any more, after showing what stays in the
    /// cloud.
    ///
    /// An object that is being deleted waits for the operator. Where that was taken away first, the object waits for
    /// ever, and its namespace with it. This shows what each stands for in the cloud, asks, and takes the finalizer
    /// privatelink.dev/finalizer off; finalizers of others stay. No cloud is asked, and nothing is deleted there.
    ///
    /// It ends with 0 once no object that is meant is kept any more, with 1 where something is in the way, and with 2
    /// where the command line is wrong.
    Release(Box<release::Options>),
}

/// The binary under the name of a kubectl plugin.
#[derive(Parser, Debug)]
#[command(name = PLUGIN, bin_name = "kubectl privatelink", version, about, arg_required_else_help = true)]
struct Plugin {
    #[command(subcommand)]
    command: OfPeople,
}

/// The name under which kubectl finds the binary.
const PLUGIN: &str = "kubectl-privatelink";

/// Whether the binary was called by kubectl, or under the name that kubectl knows.
#[must_use]
pub fn is_plugin(called: Option<&OsString>) -> bool {
    called.is_some_and(|called| Path::new(called).file_stem().is_some_and(|name| name == PLUGIN))
}

impl Cli {
    /// What these arguments ask for; the first one is the name under which the binary was called.
    ///
    /// # Errors
    /// With what is to be printed, and the exit status: also for `--help`.
    pub fn of(arguments: &[OsString]) -> Result<Self, clap::Error> {
        if is_plugin(arguments.first()) {
            let command = Plugin::try_parse_from(arguments)?.command;
            return Ok(Self { command: Command::OfPeople(command) });
        }
        Self::read(arguments)
    }

    /// Reads the command line, and for `run` what the file says that it names: flags and the environment count before
    /// that.
    fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(arguments)?;
        let run = matches.subcommand_matches("run");
        let Some((run, file)) = run.and_then(|run| Some((run, run.get_one::<PathBuf>(CONFIG)?))) else {
            return Self::from_arg_matches(&matches);
        };
        let of_run = command.find_subcommand("run").into_iter().flat_map(clap::Command::get_arguments);
        let flags: Vec<Arg> = of_run
            .filter(|flag| flag.get_long().is_some_and(|name| ![CONFIG, "help"].contains(&name)))
            .cloned()
            .collect();
        let source = |flag: &Arg| run.value_source(flag.get_id().as_str());
        let is_set = |flag: &Arg| source(flag).is_some_and(|source| source != ValueSource::DefaultValue);
        let mut refused = |told: String| command.error(ErrorKind::ValueValidation, told);
        let more = file::arguments(file, &flags, is_set).map_err(|error| refused(error.to_string()))?;
        let all = arguments.iter().cloned().chain(more);
        // What is wrong now is wrong in the file: all else was read before.
        Self::try_parse_from(all).map_err(|error| refused(format!("--config {}: {error}", file.display())))
    }

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
            Command::OfPeople(OfPeople::Release(options)) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let mut terminal = io::stdin().is_terminal().then(|| io::stdin().lock());
                let person = terminal.as_mut().map(|person| person as &mut dyn BufRead);
                let released = runtime.map_err(Error::Runtime)?.block_on(release::run(*options, out, person));
                match released {
                    Err(release::Error::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    released => released.map_err(|error| Error::Release(Box::new(error))),
                }
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
    /// Not all objects were released.
    #[error(transparent)]
    Release(Box<release::Error>),
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
        Plugin::command().debug_assert();
    }

    #[test]
    fn check_without_a_directory_is_refused() {
        let error = Cli::try_parse_from(["privatelink-operator", "crds", "--check"]).expect_err("refused");
        assert!(error.to_string().contains("--output-dir"), "{error}");
    }

    fn parsed(words: &str) -> Result<Cli, String> {
        let words: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
        Cli::of(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn the_plugin_does_what_people_do_and_nothing_else() {
        for called in ["kubectl-privatelink", "/opt/bin/kubectl-privatelink", "kubectl-privatelink.exe"] {
            let cli = parsed(&format!("{called} release -n team pls/gateway")).expect("a command");
            let Command::OfPeople(OfPeople::Release(options)) = cli.command else { panic!("{cli:?}") };
            assert_eq!(
                (options.namespace.as_deref(), &options.objects[..]),
                (Some("team"), &["pls/gateway".to_owned()][..])
            );
            let refused = parsed(&format!("{called} crds")).expect_err("it is the operator's");
            assert!(refused.contains("Usage: kubectl privatelink "), "{refused}");
        }
        let cli = parsed("privatelink-operator release -A --yes").expect("a command");
        assert!(
            matches!(cli.command, Command::OfPeople(OfPeople::Release(options)) if options.all_namespaces && options.yes)
        );
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        for both in ["-A -n team", "--yes --dry-run"] {
            let refused = parsed(&format!("kubectl-privatelink release {both}")).expect_err("refused");
            assert!(refused.contains("cannot be used with"), "{refused}");
        }
    }
}
