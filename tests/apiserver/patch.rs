//! JSON Patch and JSON Merge Patch, as far as the operator and the tests use them.

use serde_json::Value;

use super::refusal::Unknown;

/// Why a patch was not made.
pub enum Unpatched {
    /// A test fails, or there is nothing where it is said to be.
    Refused(String),
    /// An operation that is not known here.
    Unknown(Unknown),
}

/// Makes the steps of a JSON Patch, one after the other.
///
/// # Errors
/// [`Unpatched`], with the step.
pub fn stepwise(object: &mut Value, steps: &Value) -> Result<(), Unpatched> {
    let known = |text: &Value| text.as_str().map(str::to_owned).ok_or_else(|| unknown("a step without op and path"));
    for step in steps.as_array().ok_or_else(|| unknown("a JSON Patch that is no list"))? {
        let (op, path) = (known(&step["op"])?, known(&step["path"])?);
        let refused = || Unpatched::Refused(format!("{op} {path}"));
        let (parent, last) = path.rsplit_once('/').ok_or_else(|| unknown("a step on the whole object"))?;
        if last.contains('~') {
            return Err(unknown("an escaped path"));
        }
        if op == "test" {
            if object.pointer(&path).unwrap_or(&Value::Null) != &step["value"] {
                return Err(refused());
            }
            continue;
        }
        let value = step["value"].clone();
        match (op.as_str(), object.pointer_mut(parent).ok_or_else(refused)?) {
            ("add", Value::Object(fields)) => {
                fields.insert(last.to_owned(), value);
            }
            ("add", Value::Array(items)) if last == "-" => items.push(value),
            ("replace", Value::Object(fields)) => *fields.get_mut(last).ok_or_else(refused)? = value,
            ("remove", Value::Object(fields)) => {
                fields.remove(last).ok_or_else(refused)?;
            }
            ("remove", Value::Array(items)) => {
                let at = last.parse().ok().filter(|at| *at < items.len()).ok_or_else(refused)?;
                items.remove(at);
            }
            _ => return Err(unknown(&format!("the step {op} {path}"))),
        }
    }
    Ok(())
}

fn unknown(what: &str) -> Unpatched {
    Unpatched::Unknown(Unknown::new(what))
}

/// Lays `change` over `object`: what is null goes.
pub fn merge(object: &mut Value, change: &Value) {
    let Value::Object(changes) = change else {
        object.clone_from(change);
        return;
    };
    if !object.is_object() {
        *object = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = object else { return };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}
