//! Every statement that the vendor's documents leave open is tested by its name.

use std::fs;
use std::path::Path;

use privatelink_sim::world::variant::TABLE;

/// The text of every Rust file below `folder`, save the table's own.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder of the package").map(|entry| entry.expect("readable").path());
    let text = |path: std::path::PathBuf| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(kind) if kind == "rs" && !path.ends_with("world/variant.rs") => {
            fs::read_to_string(&path).expect("source is text")
        }
        _ => String::new(),
    };
    entries.map(text).collect()
}

#[test]
fn every_variant_is_set_by_name_in_some_test() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = sources(&package.join("tests")) + &sources(&package.join("src"));
    let unnamed: Vec<_> = TABLE.iter().filter(|row| !tests.contains(&format!("\"{}\"", row.name))).collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}
