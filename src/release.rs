//! `release`: takes our finalizer off objects that nobody looks after any more, once it has been shown what stays in
//! the cloud. It writes nothing else, and no cloud is asked.

pub mod choice;
pub mod left;
pub mod table;
pub mod writer;

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use clap::Args;
use kube::api::{DynamicObject, ListParams};
use kube::{Api, Client, ResourceExt as _};

use crate::api::GROUP;
use crate::control::error::call;
use crate::control::{cluster, error, finalizer};
use crate::proxy::{self, Proxies};

use self::choice::{Known, Unclear, Wanted};
use self::left::{Around, Left};
use self::table::table;
use self::writer::{Lookout, Writer};

/// How often an object is read again whose finalizers others change at the same time.
const TRIES: usize = 5;

/// What `release` is asked for.
#[derive(Args, Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Options {
    /// Kinds, and objects by name, as kubectl takes them: `pls`, `pls,ple`, `pls gateway`, `pls/gateway ple/db`. Not
    /// given: all kinds; accounts, which are in no namespace, only with -A.
    #[arg(value_name = "TYPE[/NAME]")]
    pub objects: Vec<String>,

    /// The namespace. Default: that of the kubeconfig's context.
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,

    /// All namespaces.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,

    /// The kubeconfig. Default: those that KUBECONFIG names, or ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig. Default: its current one.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,

    /// Show what stays in the cloud, and change nothing.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,

    /// Also objects that nobody has deleted. They stay until somebody does, and nothing in the cloud is deleted then;
    /// an operator that is started again puts its finalizer back.
    #[arg(long)]
    pub include_living: bool,

    /// Also while an operator runs, which deletes in the cloud what it still can.
    #[arg(long)]
    pub force: bool,

    /// The namespace in which an operator would run: its Lease is looked for there alone. Default: all namespaces.
    #[arg(long, value_name = "NAMESPACE")]
    pub operator_namespace: Option<String>,
}

/// Why not all of it was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not clear which objects are meant.
    #[error(transparent)]
    Unclear(#[from] Unclear),
    /// Nothing says how the cluster is reached.
    #[error(transparent)]
    Unknown(#[from] cluster::Unknown),
    /// The environment names a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] proxy::Refused),
    /// There is no way to the cluster.
    #[error("no cluster: {0}; correct the kubeconfig, or choose another --context")]
    NoCluster(Box<kube::Error>),
    /// The cluster refuses, or does not answer.
    #[error("{0}; nothing was changed")]
    Cluster(error::Error),
    /// It cannot be seen whether an operator runs.
    #[error(
        "whether an operator runs cannot be seen: {0}; name its namespace with --operator-namespace, or use --force once \
         you know that none does; nothing was changed"
    )]
    NoLeases(error::Error),
    /// Objects that were named are not there.
    #[error("not found: {0}; nothing was changed")]
    NotFound(String),
    /// Objects that were named are not being deleted.
    #[error("not being deleted: {0}; delete them first, or use --include-living; nothing was changed")]
    Living(String),
    /// An operator runs.
    #[error(
        "an operator runs: {holder} renews the Lease {namespace}/{lease}: it deletes in the cloud what it can, and the \
         conditions of the objects say what they wait for; stop it first, or use --force; nothing was changed",
        holder = .0.holder, namespace = .0.namespace, lease = crate::runtime::lease::NAME
    )]
    OperatorRuns(Writer),
    /// Nobody can be asked.
    #[error("nobody can be asked, since the standard input is no terminal: use --yes; nothing was changed")]
    NobodyToAsk,
    /// The person has not agreed.
    #[error("not agreed to; nothing was changed")]
    NotAgreed,
    /// Some objects still carry the finalizer.
    #[error("{failed} of {all} objects could not be released; what is said of each is above")]
    Unreleased {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
    },
    /// The output could not be printed, or no answer be read.
    #[error("standard input and output: {0}")]
    Print(#[from] io::Error),
}

/// An object that is to be released.
struct Found {
    kind: Known,
    object: DynamicObject,
}

impl Found {
    /// As people name it.
    fn title(&self) -> String {
        match self.object.namespace() {
            Some(namespace) => format!("{} {namespace}/{}", self.kind.resource.kind, self.object.name_any()),
            None => format!("{} {}", self.kind.resource.kind, self.object.name_any()),
        }
    }

    fn is_being_deleted(&self) -> bool {
        self.object.metadata.deletion_timestamp.is_some()
    }
}

/// Shows what stays in the cloud, has it agreed to, and takes the finalizer off. `person` is whoever can be asked.
///
/// # Errors
/// [`Error`]
pub async fn run(options: Options, out: &mut impl Write, person: Option<&mut dyn BufRead>) -> Result<(), Error> {
    let wanted = choice::choose(&options.objects, options.all_namespaces)?;
    // The same provider as the operator's; a second call finds the first one's and changes nothing.
    let _one_is_there = rustls::crypto::ring::default_provider().install_default();
    let proxies = Proxies::from_environment(|name| std::env::var_os(name))?;
    let config = cluster::of_person(&proxies, options.kubeconfig.as_deref(), options.context.as_deref()).await?;
    let namespace = options.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let scope = (!options.all_namespaces).then_some(namespace.as_str());
    let client = Client::try_from(config).map_err(|error| Error::NoCluster(Box::new(error)))?;

    let Some(found) = gather(&client, &wanted, scope, out).await? else { return Ok(()) };
    let (keeping, living) = sort_out(found, &wanted, options.include_living)?;
    if keeping.is_empty() {
        let place =
            scope.map_or_else(|| "in any namespace".to_owned(), |namespace| format!("in namespace {namespace}"));
        return Ok(writeln!(out, "{}", nothing(&place, options.include_living, living))?);
    }
    let around = around(&client, scope).await;
    write!(out, "{}", announcement(&keeping, &around))?;
    if options.dry_run {
        return Ok(writeln!(out, "Nothing was changed.")?);
    }
    let mut lookout = Lookout::new(client.clone(), options.operator_namespace.clone());
    if !options.force {
        nobody_writes(&mut lookout, out).await?;
    }
    if !options.yes {
        ask(keeping.len(), out, person)?;
        // Whoever was asked may have taken a while.
        if !options.force {
            nobody_writes(&mut lookout, out).await?;
        }
    }
    release(&client, &keeping, out).await
}

/// The objects of the kinds that are wanted; none, where the cluster knows no such kind.
async fn gather(
    client: &Client,
    wanted: &[Wanted],
    scope: Option<&str>,
    out: &mut impl Write,
) -> Result<Option<Vec<Found>>, Error> {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for one in wanted {
        match list(client, &one.kind, scope).await {
            Ok(objects) => found.extend(objects.into_iter().map(|object| Found { kind: one.kind.clone(), object })),
            Err(error) if is_of_no_kind(&error) => unknown.push(format!("{}.{GROUP}", one.kind.resource.plural)),
            Err(error) => return Err(Error::Cluster(error)),
        }
    }
    if !unknown.is_empty() {
        writeln!(
            out,
            "The cluster has no custom resource definition {}: no such objects are left. What they stood for is still \
             in the cloud, with tags that start with privatelink.dev/.",
            unknown.join(", "),
        )?;
    }
    Ok((unknown.len() < wanted.len()).then_some(found))
}

/// Of a list it is the kind that is not found; the API server says so in plain text.
fn is_of_no_kind(error: &error::Error) -> bool {
    match error {
        error::Error::Gone => true,
        error::Error::Kube { source, .. } => matches!(&**source, kube::Error::Api(status) if status.code == 404),
        _ => false,
    }
}

async fn list(client: &Client, kind: &Known, scope: Option<&str>) -> Result<Vec<DynamicObject>, error::Error> {
    let api: Api<DynamicObject> = match scope {
        Some(namespace) if kind.namespaced => Api::namespaced_with(client.clone(), namespace, &kind.resource),
        _ => Api::all_with(client.clone(), &kind.resource),
    };
    Ok(call("list objects", api.list(&ListParams::default())).await?.items)
}

/// Those that our finalizer keeps and that may be released, and how many more there are that nobody has deleted.
fn sort_out(found: Vec<Found>, wanted: &[Wanted], include_living: bool) -> Result<(Vec<Found>, usize), Error> {
    let named = |kind: &Known| wanted.iter().find(|one| one.kind == *kind).map(|one| &one.names);
    let missing = wanted.iter().flat_map(|one| {
        let is_there = |name: &str| found.iter().any(|it| it.kind == one.kind && it.object.name_any() == name);
        let missing = one.names.iter().filter(move |name| !is_there(name));
        missing.map(|name| format!("{} {name}", one.kind.resource.kind))
    });
    let missing: Vec<String> = missing.collect();
    if !missing.is_empty() {
        return Err(Error::NotFound(missing.join(", ")));
    }
    let is_meant =
        |one: &Found| named(&one.kind).is_some_and(|names| names.is_empty() || names.contains(&one.object.name_any()));
    let ours = found.into_iter().filter(|one| is_meant(one) && finalizer::is_on(&one.object));
    let (keeping, living): (Vec<Found>, Vec<Found>) = ours.partition(|one| include_living || one.is_being_deleted());
    let by_name: Vec<String> =
        living.iter().filter(|one| named(&one.kind).is_some_and(|names| !names.is_empty())).map(Found::title).collect();
    if by_name.is_empty() { Ok((keeping, living.len())) } else { Err(Error::Living(by_name.join(", "))) }
}

/// That there is nothing to be done, and what could be asked for instead.
fn nothing(place: &str, include_living: bool, living: usize) -> String {
    let which = if include_living { "" } else { "being deleted and " };
    let more = if living > 0 {
        let those = counted(living, "carries it and is", "carry it and are");
        format!(" {those} not being deleted: --include-living means these too.")
    } else {
        String::new()
    };
    format!("No object {place} is {which}kept by {}.{more}", finalizer::NAME)
}

/// What services and endpoints say, of which entries and assignments are parts; what cannot be read says nothing.
async fn around(client: &Client, scope: Option<&str>) -> Around {
    let mut around = Around::default();
    for kind in choice::kinds() {
        if matches!(kind.resource.kind.as_str(), "EndpointService" | "Endpoint") {
            for object in list(client, &kind, scope).await.unwrap_or_default() {
                around.learn(&kind.resource.kind, &object);
            }
        }
    }
    around
}

/// What stays in the cloud of each.
fn announcement(keeping: &[Found], around: &Around) -> String {
    let row = |one: &Found| {
        let Left { account, region, stays } = left::of(&one.kind.resource.kind, &one.object, around);
        let named = one.object.namespace().map_or_else(String::new, |namespace| format!("{namespace}/"));
        let name = format!("{named}{}", one.object.name_any());
        [one.kind.resource.kind.clone(), name, account, region, stays]
    };
    let rows: Vec<[String; 5]> = keeping.iter().map(row).collect();
    let heads = ["KIND", "NAME", "ACCOUNT", "REGION", "STAYS IN THE CLOUD"];
    let rest = "Whatever stays is looked after by nobody, is paid for, and carries its tags. It can be adopted by another \
                object, or deleted in the cloud.";
    format!("{}\n{rest}\n", table(heads, &rows))
}

async fn nobody_writes(lookout: &mut Lookout, out: &mut impl Write) -> Result<(), Error> {
    let mut printed = Ok(());
    let writer = lookout.find(|writer, lifetime| {
        let Writer { namespace, holder } = writer;
        printed = writeln!(
            out,
            "{holder} holds the Lease {namespace}/{}: watching for up to {} s whether it still renews it.",
            crate::runtime::lease::NAME,
            lifetime.as_secs(),
        );
    });
    let writer = writer.await.map_err(Error::NoLeases)?;
    printed?;
    writer.map_or(Ok(()), |writer| Err(Error::OperatorRuns(writer)))
}

fn ask(count: usize, out: &mut impl Write, person: Option<&mut dyn BufRead>) -> Result<(), Error> {
    let Some(person) = person else { return Err(Error::NobodyToAsk) };
    write!(out, "Take {} off {}? [y/N] ", finalizer::NAME, counted(count, "object", "objects"))?;
    out.flush()?;
    let mut answer = String::new();
    person.read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") { Ok(()) } else { Err(Error::NotAgreed) }
}

/// Takes the finalizer off each, and says what came of it.
async fn release(client: &Client, keeping: &[Found], out: &mut impl Write) -> Result<(), Error> {
    let mut failed = 0;
    for one in keeping {
        let others = match take_off(client, one).await {
            Ok(others) => others,
            Err(error) => {
                failed += 1;
                writeln!(out, "{} not released: {error}", one.title())?;
                continue;
            }
        };
        let kept = match (one.is_being_deleted(), others.is_empty()) {
            (true, true) => String::new(),
            (true, false) => format!(", and still kept by {}", others.join(", ")),
            (false, _) => ", and still there: nobody has deleted it".to_owned(),
        };
        writeln!(out, "{} released{kept}", one.title())?;
    }
    if failed == 0 { Ok(()) } else { Err(Error::Unreleased { failed, all: keeping.len() }) }
}

/// Takes our finalizer off one object, and off no other that came after it; gives the finalizers that are not ours.
async fn take_off(client: &Client, one: &Found) -> Result<Vec<String>, error::Error> {
    let api: Api<DynamicObject> = match one.object.namespace() {
        Some(namespace) => Api::namespaced_with(client.clone(), &namespace, &one.kind.resource),
        None => Api::all_with(client.clone(), &one.kind.resource),
    };
    let mut object = one.object.clone();
    for _ in 0..TRIES {
        match finalizer::take_off(&api, &object).await {
            Ok(()) => return Ok(object.finalizers().iter().filter(|name| *name != finalizer::NAME).cloned().collect()),
            // Somebody else has changed the list meanwhile.
            Err(error::Error::Changed) => {}
            Err(error) => return Err(error),
        }
        match call("read the object", api.get_opt(&object.name_any())).await? {
            Some(now) if now.uid() == one.object.uid() => object = now,
            // It is gone, whoever is there now.
            _ => return Ok(Vec::new()),
        }
    }
    Err(error::Error::Changed)
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
