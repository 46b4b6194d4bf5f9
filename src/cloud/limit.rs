//! How long and how large a call may be, each number with its reason.

use std::time::Duration;

/// Longest time to a connection, through a proxy where there is one, with TLS; the vendor's own libraries give it as long.
pub const CONNECT: Duration = Duration::from_secs(5);

/// Longest whole call that reads, from the hand-over to the last byte: a page of the largest size takes about a
/// second, and the reader can ask again.
pub const READ: Duration = Duration::from_secs(10);

/// Longest whole call that writes. Longer than a read: a write that is given up has to be found again by what
/// it left behind.
pub const WRITE: Duration = Duration::from_secs(30);

/// Longest question to the machine's own metadata service. The vendor's libraries give it one second; a machine
/// that has little time for us may need one more.
pub const METADATA: Duration = Duration::from_secs(2);

/// Longest time for which the cloud may be busy with a call of ours: no call outlives its time-out.
pub const LONGEST_CALL: Duration = WRITE;

/// Largest answer, in bytes: a page of 1,000 connections with ten zones each stays below it.
pub const ANSWER: usize = 4 << 20;

/// Furthest that this machine's clock may be from the cloud's, which refuses signatures beyond.
pub const CLOCK_SKEW: Duration = Duration::from_mins(15);

/// How long the head of a queue is waited for: a turn of its object needs at most one read before it comes,
/// and whoever comes later queues again.
pub const HOLD: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_on_the_network_has_these_numbers() {
        let page = include_str!("../../docs/network.md");
        for (what, number) in [
            ("to a connection: name, proxy and TLS together", format!("{} s", CONNECT.as_secs())),
            ("a call that reads, to the last byte", format!("{} s", READ.as_secs())),
            ("a call that writes, to the last byte", format!("{} s", WRITE.as_secs())),
            ("a question to the machine's metadata service", format!("{} s", METADATA.as_secs())),
            ("an answer", format!("{} MiB", ANSWER >> 20)),
            (
                "the difference between this machine's clock and the cloud's",
                format!("{} min", CLOCK_SKEW.as_secs() / 60),
            ),
        ] {
            let row = format!("| {what} | {number} |");
            assert!(page.contains(&row), "docs/network.md has no line {row}");
        }
    }
}
