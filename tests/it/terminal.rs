//! A person's terminal: kubectl with our plugin in a cluster, and the commands of a page of the documentation, which
//! are given as they stand there.

use std::{
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use crate::cluster::{Cluster, repository};

/// A terminal, in the root of the repository. Its folder goes with it.
pub struct Terminal {
    cluster: &'static Cluster,
    /// Its home, in which `bin` is where programs are looked for first.
    home: PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub struct Said {
    /// The exit status.
    pub code: i32,
    /// The standard output.
    pub out: String,
    /// The standard error.
    pub err: String,
}

impl Terminal {
    /// A terminal in which the plugin is installed; `what` is whose it is.
    pub fn open(cluster: &'static Cluster, what: &str) -> Self {
        let terminal = Self::bare(cluster, what);
        let plugin = terminal.home.join(".local/bin/kubectl-privatelink");
        symlink(env!("CARGO_BIN_EXE_privatelink-operator"), plugin).expect("the plugin is installed");
        terminal
    }

    /// A terminal without the plugin.
    pub fn bare(cluster: &'static Cluster, what: &str) -> Self {
        let name = format!("terminal-{}-{}", what.replace(' ', "-"), std::process::id());
        let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let bin = home.join(".local/bin");
        fs::create_dir_all(&bin).expect("a folder");
        let (_, kubectl) = cluster.for_people();
        // A name alone is looked for in the PATH, as this program's own would be.
        if kubectl.components().count() > 1 {
            symlink(kubectl, bin.join("kubectl")).expect("kubectl is there");
        }
        Self { cluster, home }
    }

    /// Gives these lines to a shell, which ends at the first that fails. Nobody sits at the terminal.
    pub async fn runs(&self, lines: &str) -> Said {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-e", "-c", lines])
            .current_dir(repository())
            .env("HOME", &self.home)
            .env("PATH", format!("{}:{path}", self.home.join(".local/bin").display()))
            .env("KUBECONFIG", self.cluster.for_people().0)
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().expect("there is a shell"));
        let Output { status, stdout, stderr } = output.await.expect("it is waited for");
        let text = |bytes| String::from_utf8(bytes).expect("it is text");
        Said { code: status.code().expect("it ends by itself"), out: text(stdout), err: text(stderr) }
    }

    /// The same of lines that must succeed; gives what was printed.
    pub async fn does(&self, lines: &str) -> String {
        let said = self.runs(lines).await;
        assert_eq!(said.code, 0, "{lines}: {said:#?}");
        said.out
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _gone_with_the_folder_of_the_build = fs::remove_dir_all(&self.home);
    }
}

/// The blocks of this language below a heading of a page, in their order.
pub fn blocks(page: &str, heading: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    let (mut below, mut found, mut open): (bool, Vec<String>, Option<Vec<&str>>) = (false, Vec::new(), None);
    for line in text.lines() {
        // Blocks of a list are indented, and so are their lines, which the shell minds no more than we do.
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (Some(_), Some(_)) => {
                let lines = open.take().expect("a block is open");
                if below && lines[0] == language {
                    found.push(lines[1..].join("\n"));
                }
            }
            (Some(lines), None) => lines.push(line),
            (None, Some(of)) => open = Some(vec![of]),
            (None, None) if line.starts_with('#') => below = line.trim_start_matches('#').trim() == heading,
            (None, None) => {}
        }
    }
    assert!(!found.is_empty(), "{page} has no {language} below {heading:?}");
    found
}
