//! A connection that stands; its service, entry and endpoint are deleted at any time and in any order.

use privatelink_sim::world::{Variants, progress};

use super::connection::with_consumer;
use super::{Happening, Scene, delete_endpoint, delete_service, delete_tenant};
use crate::play::{Action, Play, Process};
use crate::rest;

pub const TEARDOWN: Scene = Scene {
    name: "teardown from any point",
    start,
    happenings: &[
        Happening { words: "all three are deleted", act: delete_all },
        Happening { words: "the service is deleted", act: delete_service },
        Happening { words: "the entry is deleted", act: delete_tenant },
        Happening { words: "the endpoint is deleted", act: delete_endpoint },
    ],
    brief: 1,
    faults: 0,
    faults_in_all: 1,
    settled: rest::as_declared,
};

/// Their namespace goes.
fn delete_all(play: &mut Play) -> bool {
    let (service, entry, endpoint) = (delete_service(play), delete_tenant(play), delete_endpoint(play));
    service && entry && endpoint
}

/// Everything is made, and at rest.
fn start(variants: Variants) -> Play {
    let mut play = with_consumer(variants);
    for _ in 0..60 {
        for who in play.objects() {
            play.turn(who, None);
            while play.next_call(who).is_some() {
                play.act(Action::Call(who));
            }
        }
        match progress(play.world()).first() {
            Some(due) => drop(play.act(Action::Moves(*due))),
            None => [Process::Provider, Process::Consumer].into_iter().for_each(|one| play.sweep(one)),
        }
    }
    play
}
