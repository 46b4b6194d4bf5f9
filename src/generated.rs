//! Files that a command writes and the repository keeps: written all at once, or compared.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file that is generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The name of the file within the output directory.
    pub name: String,
    /// What it must hold, to the byte.
    pub text: String,
}

/// Why generated files could not be written, or are not what they must be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Files differ from what the command would write.
    #[error("not up to date: {}; write them anew with: {command}", files.join(", "))]
    Drift {
        /// Each file that differs, with how.
        files: Vec<String>,
        /// The command that writes them.
        command: String,
    },
}

/// Writes `files` into `directory`, which is made when it is not there.
///
/// # Errors
/// [`Error::Io`] names the path that could not be written.
pub fn write(directory: &Path, files: &[File]) -> Result<(), Error> {
    fs::create_dir_all(directory).map_err(|source| io_error(directory, source))?;
    for file in files {
        let path = directory.join(&file.name);
        fs::write(&path, &file.text).map_err(|source| io_error(&path, source))?;
    }
    Ok(())
}

/// Compares `files` with what is in `directory`. Files there that `command` did not write are not
/// looked at, save those with the ending of a generated file and its first line.
///
/// # Errors
/// [`Error::Drift`] names every file that is missing, differs or is left over from an earlier run;
/// [`Error::Io`] a path that could not be read.
pub fn check(directory: &Path, files: &[File], command: &str) -> Result<(), Error> {
    let mut drift = Vec::new();
    for file in files {
        let path = directory.join(&file.name);
        match fs::read_to_string(&path) {
            Ok(text) if text == file.text => {}
            Ok(text) => drift.push(format!("{} ({})", path.display(), first_difference(&text, &file.text))),
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                drift.push(format!("{} (missing)", path.display()));
            }
            Err(source) => return Err(io_error(&path, source)),
        }
    }
    for path in left_over(directory, files)? {
        drift.push(format!("{} (no longer generated: delete it)", path.display()));
    }
    if drift.is_empty() { Ok(()) } else { Err(Error::Drift { files: drift, command: command.to_owned() }) }
}

/// Files of `directory` that begin like the generated ones and are none of them.
fn left_over(directory: &Path, files: &[File]) -> Result<Vec<PathBuf>, Error> {
    let header = files.first().and_then(|file| file.text.lines().next()).unwrap_or_default();
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(io_error(directory, source)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| io_error(directory, source))?.path();
        let known = files.iter().any(|file| path.file_name().is_some_and(|name| *name == *file.name));
        if known || !path.is_file() {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|source| io_error(&path, source))?;
        if !header.is_empty() && text.lines().next() == Some(header) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn first_difference(found: &str, expected: &str) -> String {
    let line = found
        .lines()
        .zip(expected.lines())
        .position(|(found, expected)| found != expected)
        .unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
    format!("differs from line {}", line + 1)
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.to_owned(), source }
}
