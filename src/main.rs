//! The process: reads the command line, runs it, and turns its outcome into an exit status.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use privatelink_operator::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this cannot be written, the exit status is all there is to say it with.
            let _ = writeln!(io::stderr(), "privatelink-operator: {error}");
            ExitCode::FAILURE
        }
    }
}
