//! The process: reads the command line, runs it, and turns its outcome into an exit status.

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use privatelink_operator::cli::{Cli, is_plugin};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().collect();
    let cli = Cli::of(&arguments).unwrap_or_else(|refused| refused.exit());
    match cli.run(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // kubectl's own words for it, where it is a part of kubectl.
            let who = if is_plugin(arguments.first()) { "error" } else { "privatelink-operator" };
            // Where even this cannot be written, the exit status is all there is to say it with.
            let _ = writeln!(io::stderr(), "{who}: {error}");
            ExitCode::FAILURE
        }
    }
}
