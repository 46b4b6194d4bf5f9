//! Reading fields of an answer whose shape may have grown: what is not asked for is not looked at, a number may
//! come as a string, and what is missing is an error only where it must be there.

use serde_json::Value;

use crate::wire::Malformed;

/// An object of an answer, with its path from the root.
pub(super) struct Fields<'a> {
    object: &'a Value,
    path: String,
}

impl<'a> Fields<'a> {
    /// The root of an answer.
    pub(super) fn root(value: &'a Value) -> Result<Self, Malformed> {
        let root = Self { object: value, path: String::new() };
        if value.is_object() { Ok(root) } else { Err(Malformed { what: "the answer is not a JSON object".to_owned() }) }
    }

    fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// What is wrong with a field.
    pub(super) fn wrong(&self, name: &str, what: &str) -> Malformed {
        Malformed { what: format!("{} {what}", self.path(name)) }
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// A text, or a number as text; an empty one is none.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = match self.value(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A text that must be there.
    pub(super) fn id(&self, name: &str) -> Result<String, Malformed> {
        self.text(name).ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// A number, or a text that holds one; what is not a number that fits is none.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.text(name)?.parse().ok()
    }

    /// A truth value, or a text that holds one in whatever case; what is missing is false.
    pub(super) fn truth(&self, name: &str) -> bool {
        match self.value(name) {
            Some(Value::Bool(truth)) => *truth,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// An object that must be there.
    pub(super) fn object(&self, name: &str) -> Result<Fields<'a>, Malformed> {
        match self.value(name) {
            Some(object) if object.is_object() => Ok(Fields { object, path: self.path(name) }),
            Some(_) => Err(self.wrong(name, "is not an object")),
            None => Err(self.wrong(name, "is missing")),
        }
    }

    /// A truth value that must be there.
    pub(super) fn told(&self, name: &str) -> Result<bool, Malformed> {
        if self.value(name).is_none() {
            return Err(self.wrong(name, "is missing"));
        }
        Ok(self.truth(name))
    }

    /// The objects of an array; a missing array is empty.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, Malformed> {
        let items = match self.value(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.wrong(name, "is not a list")),
        };
        let objects = items.iter().enumerate().map(|(at, object)| {
            let path = format!("{}[{at}]", self.path(name));
            if object.is_object() {
                Ok(Fields { object, path })
            } else {
                Err(Malformed { what: format!("{path} is not an object") })
            }
        });
        objects.collect()
    }

    /// The items of a page. Without them it passes for an empty one only if the rest says that it is a page and
    /// counts nothing: something else read as a list must not empty the world.
    pub(super) fn items(&self, name: &str) -> Result<Vec<Fields<'a>>, Malformed> {
        let counts_nothing = match self.text("TotalCount") {
            Some(count) => count == "0",
            None => self.value("MaxResults").is_some(),
        };
        if self.value(name).is_none() && !counts_nothing {
            return Err(self.wrong(name, "is missing"));
        }
        self.objects(name)
    }

    /// The cursor of the next page.
    pub(super) fn next(&self) -> Option<String> {
        self.text("NextToken")
    }
}
