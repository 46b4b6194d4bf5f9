//! A table for people: columns as wide as what is in them, as kubectl prints them.

/// How far one column is from the next one.
const GAP: usize = 3;

/// These rows below these heads, each a line; the last column is not filled up.
#[must_use]
pub fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let mut lines = vec![heads.map(str::to_owned)];
    lines.extend(rows.iter().cloned());
    let mut widths = [0; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in &lines {
        let mut printed = String::new();
        for (width, cell) in widths.iter().zip(line) {
            printed.push_str(cell);
            printed.extend(std::iter::repeat_n(' ', width + GAP - cell.chars().count()));
        }
        text.push_str(printed.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = [["Endpoint", "team/db", "x"], ["A", "", "long"]].map(|row| row.map(str::to_owned));
        let lines = ["KIND       NAME      STAYS", "Endpoint   team/db   x", "A                    long", ""];
        assert_eq!(table(["KIND", "NAME", "STAYS"], &rows), lines.join("\n"));
    }
}
