//! The process: reads the command line, runs it, and turns its outcome into an exit status.

use std::{io, process::ExitCode};

use clap::Parser;
use privatelink_operator::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("privatelink-operator: {error}");
            ExitCode::FAILURE
        }
    }
}
