//! Which worlds are played, and how much of a scene in each: the default world, and those that settle one statement
//! which the vendor leaves open otherwise.

use std::collections::BTreeSet;
use std::fmt;

use privatelink_sim::world::variant::{TABLE, Variant, Variants};

/// One world.
#[derive(Clone, Copy, Default)]
pub struct World {
    /// The statement that is settled otherwise, and how; none in the default world.
    settled: Option<(&'static str, &'static str)>,
    pub variants: Variants,
}

impl fmt::Display for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.settled {
            Some((name, value)) => write!(formatter, ", {name}={value}"),
            None => Ok(()),
        }
    }
}

/// What is to be explored.
pub enum Asked {
    /// Of each scene a part, in the default world.
    Brief,
    /// Each scene whole in the default world, and a part of it in every other world that makes a difference to it.
    Whole,
    /// Of each scene a part, in this world.
    One(World),
}

impl Asked {
    /// As `MODEL` says: nothing, `whole`, or a statement and how it is settled, as `addedZoneWaits=true`.
    pub fn by_environment() -> Self {
        let said = std::env::var("MODEL").unwrap_or_default();
        if said.is_empty() {
            return Self::Brief;
        }
        if said == "whole" {
            return Self::Whole;
        }
        let named = |world: &World| world.settled.is_some_and(|(name, value)| said == format!("{name}={value}"));
        let found = each().find(named);
        Self::One(
            found.unwrap_or_else(|| panic!("MODEL={said}: write whole, or a statement and its value: name=value")),
        )
    }
}

fn each() -> impl Iterator<Item = World> {
    Variants::each_flipped().into_iter().map(|(name, value, variants)| World { settled: Some((name, value)), variants })
}

/// Statements whose values are codes: the world knows whether it refuses, and not in which words.
const CODES: [Variant; 2] = [Variant::PresentPrincipal, Variant::AbsentPrincipal];

/// The worlds that settle one of these statements otherwise.
pub fn settled_otherwise(asked: &BTreeSet<Variant>) -> Vec<World> {
    let mut worlds: Vec<World> = Vec::new();
    for variant in asked {
        let row = &TABLE[*variant as usize];
        let of_it = each().filter(|world| world.settled.is_some_and(|(name, _)| name == row.name));
        worlds.extend(of_it.take(if CODES.contains(variant) { 1 } else { row.values.len() }));
    }
    worlds
}

/// The statements but these, in words.
pub fn others(asked: &BTreeSet<Variant>) -> String {
    let others: Vec<&str> = TABLE.iter().filter(|row| !asked.contains(&row.variant)).map(|row| row.name).collect();
    others.join(", ")
}
