//! Renders a template.

use std::sync::Arc;

use super::host::Rendering;
use super::node::{Branch, Command, Node, Operand, Pipeline};
use super::parse::Tree;
use super::value::Value;
use super::{Context, TemplateError, functions, printf, prometheus};

/// Most bytes that a template may render, and that a function may make.
const MOST_BYTES: usize = 256 << 10;

/// Most elements that are evaluated, and bytes that are made on the way, each counted as one.
const MOST_WORK: usize = 4 << 20;

/// Deepest nesting of elements and of templates that use templates.
const DEEPEST: usize = 150;

/// Most arguments of one call.
const MOST_ARGUMENTS: usize = 100;

/// Most calls of `query`.
const MOST_QUERIES: usize = 1_000;

/// What a list of nodes came to.
enum Flow {
    On,
    Break,
    Continue,
}

/// Renders `tree`, whose text may speak of `context`.
pub(super) fn render(tree: &Tree, context: &Context<'_>) -> Result<String, TemplateError> {
    let (labels, external) =
        (Value::Labels(context.labels.clone()), Value::Labels(context.external_labels.clone()));
    let (url, value) = (Value::text(context.external_url), Value::Float(context.value));
    let data = Value::Data(Arc::new([
        ("Labels", labels.clone()),
        ("ExternalLabels", external.clone()),
        ("ExternalURL", url.clone()),
        ("Value", value.clone()),
    ]));
    let variables = [
        ("$", data.clone()),
        ("$labels", labels),
        ("$externalLabels", external),
        ("$externalURL", url),
        ("$value", value),
    ];
    let call = |name: &str, values: &[Value]| prometheus::call(name, values, context, MOST_BYTES);
    let mut run = Run::new(tree, &call);
    run.variables = variables.into();
    run.list(&tree.root, &data)?;
    Ok(run.out)
}

/// Renders `tree` with what a caller gives; templates that it does not define come from `library`.
pub(super) fn render_hosted(
    tree: &Tree,
    library: &Tree,
    rendering: &Rendering<'_>,
) -> Result<String, TemplateError> {
    let call = |name: &str, values: &[Value]| rendering.functions.call(name, values, MOST_BYTES);
    let mut run = Run::new(tree, &call);
    run.library = Some(library);
    run.escape = Some(rendering.escape);
    run.variables.push(("$", rendering.data.clone()));
    run.list(&tree.root, &rendering.data)?;
    Ok(run.out)
}

/// Calls a function that is not Go's own.
type Call<'a> = &'a dyn Fn(&str, &[Value]) -> Result<Value, TemplateError>;

struct Run<'a> {
    tree: &'a Tree,
    /// Templates that `tree` does not define.
    library: Option<&'a Tree>,
    call: Call<'a>,
    escape: Option<&'a dyn Fn(&str) -> String>,
    out: String,
    /// The innermost last.
    variables: Vec<(&'a str, Value)>,
    work: usize,
    depth: usize,
    queries: usize,
}

impl<'a> Run<'a> {
    fn new(tree: &'a Tree, call: Call<'a>) -> Self {
        Self {
            tree,
            library: None,
            call,
            escape: None,
            out: String::new(),
            variables: Vec::new(),
            work: 0,
            depth: 0,
            queries: 0,
        }
    }

    /// Counts work.
    fn spend(&mut self, work: usize) -> Result<(), TemplateError> {
        self.work = self.work.saturating_add(work);
        if self.work > MOST_WORK {
            return Err(TemplateError::new("the template does too much: it loops over too many series"));
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<(), TemplateError> {
        self.spend(text.len())?;
        if self.out.len() + text.len() > MOST_BYTES {
            return Err(TemplateError::new(format!("the template renders more than {MOST_BYTES} bytes")));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn deeper<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(TemplateError::new(format!("templates are nested deeper than {DEEPEST} levels")));
        }
        let done = work(self);
        self.depth -= 1;
        done
    }

    fn list(&mut self, nodes: &'a [Node], dot: &Value) -> Result<Flow, TemplateError> {
        self.deeper(|run| {
            for node in nodes {
                match run.node(node, dot)? {
                    Flow::On => {}
                    end => return Ok(end),
                }
            }
            Ok(Flow::On)
        })
    }

    fn node(&mut self, node: &'a Node, dot: &Value) -> Result<Flow, TemplateError> {
        self.spend(1)?;
        match node {
            Node::Text(text) => self.write(text)?,
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.print(&value)?;
                }
            }
            Node::If(branch) => return self.branch(branch, dot, false),
            Node::With(branch) => return self.branch(branch, dot, true),
            Node::Range(branch) => return self.range(branch, dot),
            Node::Template(name, pipeline) => self.template(name, pipeline.as_ref(), dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn print(&mut self, value: &Value) -> Result<(), TemplateError> {
        match (value, self.escape) {
            (Value::Text(text), None) | (Value::Safe(text), _) => self.write(text),
            (value, escape) => {
                let shown = match value {
                    Value::Nil => "<no value>".to_owned(),
                    value => printf::shown(value),
                };
                match escape {
                    None => self.write(&shown),
                    Some(escape) => self.write(&escape(&shown)),
                }
            }
        }
    }

    fn branch(&mut self, branch: &'a Branch, dot: &Value, with: bool) -> Result<Flow, TemplateError> {
        let known = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = match (value.is_true(), with) {
            (true, true) => self.list(&branch.then, &value),
            (true, false) => self.list(&branch.then, dot),
            (false, _) => self.list(&branch.otherwise, dot),
        };
        self.variables.truncate(known);
        flow
    }

    fn range(&mut self, branch: &'a Branch, dot: &Value) -> Result<Flow, TemplateError> {
        let value = self.commands(&branch.pipeline, dot)?;
        let text = |it: &str| Value::text(it);
        let items: Vec<(Value, Value)> = match &value {
            Value::Nil => Vec::new(),
            Value::Labels(it) => it.iter().map(|(name, value)| (text(name), text(value))).collect(),
            Value::Map(it) => it.iter().map(|(name, value)| (text(name), value.clone())).collect(),
            Value::Samples(it) => {
                let samples = it.iter().map(|(labels, value)| Value::Sample(labels.clone(), *value));
                (0..).map(Value::Int).zip(samples).collect()
            }
            Value::List(it) => (0..).map(Value::Int).zip(it.iter().cloned()).collect(),
            Value::Object(it) if it.count().is_some() => it.items(),
            Value::Int(count) => {
                self.spend(usize::try_from(*count).unwrap_or(0))?;
                (0..*count).map(|it| (Value::Int(it), Value::Int(it))).collect()
            }
            other => return Err(TemplateError::new(format!("range cannot go over a {}", other.kind()))),
        };
        self.spend(items.len())?;
        if items.is_empty() {
            return self.list(&branch.otherwise, dot);
        }
        let known = self.variables.len();
        for (key, item) in items {
            match branch.pipeline.variables.as_slice() {
                [key_name, item_name] => {
                    self.bind(key_name, key, branch.pipeline.assigns);
                    self.bind(item_name, item.clone(), branch.pipeline.assigns);
                }
                [item_name] => self.bind(item_name, item.clone(), branch.pipeline.assigns),
                _ => {}
            }
            let flow = self.list(&branch.then, &item)?;
            self.variables.truncate(known);
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn template(
        &mut self,
        name: &str,
        pipeline: Option<&'a Pipeline>,
        dot: &Value,
    ) -> Result<(), TemplateError> {
        let tree = self.tree;
        let nodes = tree
            .named
            .get(name)
            .or_else(|| self.library.and_then(|it| it.named.get(name)))
            .ok_or_else(|| TemplateError::new(format!("the template {name:?} is not defined")))?;
        let data = pipeline.map_or(Ok(Value::Nil), |it| self.pipeline(it, dot))?;
        let outside = std::mem::replace(&mut self.variables, vec![("$", data.clone())]);
        self.list(nodes, &data)?;
        self.variables = outside;
        Ok(())
    }

    fn bind(&mut self, name: &'a str, value: Value, assigns: bool) {
        let known = self.variables.iter_mut().rev().find(|(it, _)| assigns && *it == name);
        match known {
            Some((_, old)) => *old = value,
            None => self.variables.push((name, value)),
        }
    }

    /// The value of a pipeline, which its variables take.
    fn pipeline(&mut self, pipeline: &'a Pipeline, dot: &Value) -> Result<Value, TemplateError> {
        let value = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            self.bind(name, value.clone(), pipeline.assigns);
        }
        Ok(value)
    }

    fn commands(&mut self, pipeline: &'a Pipeline, dot: &Value) -> Result<Value, TemplateError> {
        self.deeper(|run| {
            let mut piped = None;
            for command in &pipeline.commands {
                piped = Some(run.command(command, dot, piped)?);
            }
            Ok(piped.unwrap_or(Value::Nil))
        })
    }

    fn command(
        &mut self,
        command: &'a Command,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, TemplateError> {
        if let Operand::Function(name) = &command.head {
            return self.call(name, &command.arguments, dot, piped);
        }
        if command.arguments.is_empty() && piped.is_none() {
            return self.operand(&command.head, dot);
        }
        let (owner, name) = self.owner(&command.head, dot)?;
        let mut values = Vec::with_capacity(command.arguments.len() + 1);
        for argument in &command.arguments {
            values.push(self.operand(argument, dot)?);
        }
        values.extend(piped);
        let value = owner.method(name, &plain(values))?;
        self.spend(size(&value))?;
        Ok(value)
    }

    /// The value whose method `operand` is, and the method's name.
    fn owner(&mut self, operand: &'a Operand, dot: &Value) -> Result<(Value, &'a str), TemplateError> {
        let wrong = || TemplateError::new("arguments are given to something that is no function");
        let (value, names) = match operand {
            Operand::Field(names) => (dot.clone(), names),
            Operand::Variable(name, names) => (self.variable(name).clone(), names),
            Operand::Chain(inner, names) => (self.operand(inner, dot)?, names),
            _ => return Err(wrong()),
        };
        let (last, before) = names.split_last().ok_or_else(wrong)?;
        Ok((fields(&value, before)?, last))
    }

    fn variable(&self, name: &str) -> &Value {
        let found = self.variables.iter().rev().find(|(it, _)| *it == name);
        found.map_or(&Value::Nil, |(_, value)| value)
    }

    fn operand(&mut self, operand: &'a Operand, dot: &Value) -> Result<Value, TemplateError> {
        self.spend(1)?;
        let value = match operand {
            Operand::Dot => return Ok(dot.clone()),
            Operand::Constant(value) => return Ok(value.clone()),
            Operand::Function(name) => return self.call(name, &[], dot, None),
            Operand::Paren(pipeline) => return self.pipeline(pipeline, dot),
            Operand::Field(names) => fields(dot, names)?,
            Operand::Variable(name, names) => fields(self.variable(name), names)?,
            Operand::Chain(inner, names) => fields(&self.operand(inner, dot)?, names)?,
        };
        if let Value::Object(_) = value {
            // A method may have made it.
            self.spend(size(&value))?;
        }
        Ok(value)
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &'a [Operand],
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, TemplateError> {
        let mut values = Vec::with_capacity(arguments.len() + usize::from(piped.is_some()));
        for argument in arguments {
            let value = self.operand(argument, dot)?;
            // These two look no further than they must.
            if (name == "and" && !value.is_true()) || (name == "or" && value.is_true()) {
                return Ok(value);
            }
            values.push(value);
        }
        values.extend(piped);
        if matches!(name, "and" | "or") {
            return values.pop().ok_or_else(|| TemplateError::new(format!("{name} has no argument")));
        }
        if name == "query" {
            self.queries += 1;
            if self.queries > MOST_QUERIES {
                return Err(TemplateError::new(format!("more than {MOST_QUERIES} queries in a template")));
            }
        }
        if values.len() > MOST_ARGUMENTS {
            return Err(TemplateError::new(format!("{name} is given more than {MOST_ARGUMENTS} arguments")));
        }
        self.spend(values.iter().map(size).sum())?;
        // Rules have no function that makes a safe text.
        let values = if self.escape.is_some() { plain(values) } else { values };
        let value = match functions::call(name, &values, MOST_BYTES) {
            Some(value) => value?,
            None => (self.call)(name, &values)?,
        };
        self.spend(size(&value))?;
        Ok(value)
    }
}

/// The value, or a field of a field of it.
fn fields(value: &Value, names: &[String]) -> Result<Value, TemplateError> {
    match names.split_first() {
        None => Ok(value.clone()),
        Some((first, rest)) => rest.iter().try_fold(value.field(first)?, |value, name| value.field(name)),
    }
}

/// What is safe to print is a text like others once something is made of it.
fn plain(mut values: Vec<Value>) -> Vec<Value> {
    for value in &mut values {
        if let Value::Safe(text) = value {
            *value = Value::Text(Arc::clone(text));
        }
    }
    values
}

/// Bytes or elements that a function's value holds.
fn size(value: &Value) -> usize {
    match value {
        Value::Text(it) | Value::Safe(it) => it.len(),
        Value::List(it) => it.iter().map(|it| 1 + size(it)).sum(),
        // As big as it is printed: it may hold the same one many times.
        Value::Map(it) => it.values().map(|it| 1 + size(it)).sum(),
        Value::Object(it) => it.count().unwrap_or(1),
        Value::Samples(it) => it.len(),
        _ => 1,
    }
}
