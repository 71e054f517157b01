//! Puts a template's tokens together.

use std::collections::BTreeMap;

use super::TemplateError;
use super::lex::{Token, lex};
use super::node::{Branch, Command, Node, Operand, Pipeline};
use super::value::Value;

/// Deepest nesting of actions and parentheses.
const DEEPEST: usize = 60;

/// Longest template in bytes.
const LONGEST: usize = 256 << 10;

/// A template and those that it defines, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) root: Vec<Node>,
    pub(super) named: BTreeMap<String, Vec<Node>>,
}

/// Parses a template that may use `variables` and call functions that are `known`.
pub(super) fn parse(
    text: &str,
    variables: &[&str],
    known: &dyn Fn(&str) -> bool,
) -> Result<Tree, TemplateError> {
    if text.len() > LONGEST {
        return Err(TemplateError::new(format!("the template is longer than {LONGEST} bytes")));
    }
    let mut tokens = lex(text)?;
    tokens.reverse();
    let variables = ["$"].iter().chain(variables).map(|it| (*it).to_owned()).collect();
    let mut parser = Parser { tokens, variables, ranges: 0, depth: 0, named: BTreeMap::new(), known };
    let (root, end) = parser.list(true)?;
    match end {
        End::OfText => Ok(Tree { root, named: parser.named }),
        End::Block => Err(TemplateError::new("{{end}} without a beginning")),
        End::Else(_) => Err(TemplateError::new("{{else}} without {{if}}, {{with}} or {{range}}")),
    }
}

/// What a list of nodes ended with.
enum End {
    OfText,
    Block,
    /// `{{else}}`, or with the word that follows it.
    Else(Option<String>),
}

struct Parser<'a> {
    /// Functions that can be called.
    known: &'a dyn Fn(&str) -> bool,
    /// Those to come, the next one last.
    tokens: Vec<Token>,
    /// Names that are known here.
    variables: Vec<String>,
    /// Loops around this place.
    ranges: usize,
    depth: usize,
    named: BTreeMap<String, Vec<Node>>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        self.tokens.pop()
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.last()
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(&Token::Space) {
            self.next();
        }
    }

    fn deeper<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(TemplateError::new(format!("the template is nested deeper than {DEEPEST} levels")));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn list(&mut self, top: bool) -> Result<(Vec<Node>, End), TemplateError> {
        let mut nodes = Vec::new();
        loop {
            match self.next() {
                None => return Ok((nodes, End::OfText)),
                Some(Token::Text(text)) => nodes.push(Node::Text(text)),
                Some(_) => {
                    self.skip_space();
                    if let Some(end) = self.action(&mut nodes, top)? {
                        return Ok((nodes, end));
                    }
                }
            }
        }
    }

    /// An action whose beginning was read.
    fn action(&mut self, nodes: &mut Vec<Node>, top: bool) -> Result<Option<End>, TemplateError> {
        let word = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            _ => String::new(),
        };
        let known =
            ["if", "with", "range", "end", "else", "template", "define", "block", "break", "continue"];
        if known.contains(&word.as_str()) {
            self.next();
            self.skip_space();
        }
        match word.as_str() {
            "end" => return self.close("end").map(|()| Some(End::Block)),
            "else" => return self.otherwise().map(Some),
            "if" => nodes.push(Node::If(self.deeper(|it| it.branch("if"))?)),
            "with" => nodes.push(Node::With(self.deeper(|it| it.branch("with"))?)),
            "range" => {
                self.ranges += 1;
                let branch = self.deeper(|it| it.branch("range"))?;
                nodes.push(Node::Range(branch));
            }
            "template" => nodes.push(self.template()?),
            "define" if top && self.depth == 0 => self.deeper(Self::define)?,
            "define" => return Err(TemplateError::new("{{define}} stands within another action")),
            "block" => {
                let node = self.deeper(Self::block)?;
                nodes.push(node);
            }
            "break" | "continue" => {
                self.close(&word)?;
                if self.ranges == 0 {
                    return Err(TemplateError::new(format!("{{{{{word}}}}} outside {{{{range}}}}")));
                }
                nodes.push(if word == "break" { Node::Break } else { Node::Continue });
            }
            _ => {
                let pipeline = self.pipeline("command", false)?;
                self.close("command")?;
                nodes.push(Node::Action(pipeline));
            }
        }
        Ok(None)
    }

    fn close(&mut self, of: &str) -> Result<(), TemplateError> {
        self.skip_space();
        match self.next() {
            Some(Token::Close) => Ok(()),
            other => Err(unexpected(other.as_ref(), of)),
        }
    }

    fn otherwise(&mut self) -> Result<End, TemplateError> {
        match self.peek() {
            Some(Token::Word(word)) if word == "if" || word == "with" => {
                let word = word.clone();
                self.next();
                self.skip_space();
                Ok(End::Else(Some(word)))
            }
            _ => self.close("else").map(|()| End::Else(None)),
        }
    }

    /// `if`, `with` or `range` after the word, up to and with its end.
    fn branch(&mut self, word: &str) -> Result<Branch, TemplateError> {
        let known = self.variables.len();
        let pipeline = self.pipeline(word, word == "range")?;
        self.close(word)?;
        let (then, end) = self.list(false)?;
        if word == "range" {
            self.ranges -= 1;
        }
        let otherwise = match end {
            End::Block => Vec::new(),
            End::Else(None) => {
                let (nodes, end) = self.list(false)?;
                if !matches!(end, End::Block) {
                    return Err(TemplateError::new(format!("{{{{else}}}} of {{{{{word}}}}} is not ended")));
                }
                nodes
            }
            // Its `{{end}}` ends this one too.
            End::Else(Some(next)) if next == word => {
                let branch = self.deeper(|it| it.branch(word))?;
                vec![if word == "if" { Node::If(branch) } else { Node::With(branch) }]
            }
            End::Else(Some(next)) => {
                return Err(TemplateError::new(format!("{{{{else {next}}}}} in {{{{{word}}}}}")));
            }
            End::OfText => return Err(TemplateError::new(format!("{{{{{word}}}}} has no {{{{end}}}}"))),
        };
        self.variables.truncate(known);
        Ok(Branch { pipeline, then, otherwise })
    }

    fn name(&mut self, of: &str) -> Result<String, TemplateError> {
        match self.next() {
            Some(Token::Quoted(name)) => {
                self.skip_space();
                Ok(name)
            }
            other => Err(unexpected(other.as_ref(), of)),
        }
    }

    fn template(&mut self) -> Result<Node, TemplateError> {
        let name = self.name("template")?;
        let pipeline = match self.peek() {
            Some(Token::Close) => None,
            _ => Some(self.pipeline("template", false)?),
        };
        self.close("template")?;
        Ok(Node::Template(name, pipeline))
    }

    fn define(&mut self) -> Result<(), TemplateError> {
        let name = self.name("define")?;
        self.close("define")?;
        self.body(name)
    }

    /// A definition that is used where it stands.
    fn block(&mut self) -> Result<Node, TemplateError> {
        let name = self.name("block")?;
        let pipeline = self.pipeline("block", false)?;
        self.close("block")?;
        self.body(name.clone())?;
        Ok(Node::Template(name, Some(pipeline)))
    }

    /// The body of a definition: it knows no variable but `$`, and is in no loop.
    fn body(&mut self, name: String) -> Result<(), TemplateError> {
        let outside = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, end) = self.list(false)?;
        if !matches!(end, End::Block) {
            return Err(TemplateError::new(format!("the definition of {name:?} has no {{{{end}}}}")));
        }
        (self.variables, self.ranges) = (outside, ranges);
        self.named.insert(name, nodes);
        Ok(())
    }

    fn pipeline(&mut self, of: &str, range: bool) -> Result<Pipeline, TemplateError> {
        let mut pipeline = Pipeline::default();
        self.variables_of(&mut pipeline, range)?;
        loop {
            self.skip_space();
            match self.peek() {
                Some(Token::Close | Token::RightParen) => break,
                Some(Token::Pipe) if !pipeline.commands.is_empty() => {
                    self.next();
                    self.skip_space();
                    let command = self.command(of)?;
                    if !command.head.is_executable() {
                        return Err(TemplateError::new("a value is piped into something that takes none"));
                    }
                    pipeline.commands.push(command);
                }
                Some(_) if pipeline.commands.is_empty() => {
                    let command = self.command(of)?;
                    pipeline.commands.push(command);
                }
                other => return Err(unexpected(other, of)),
            }
        }
        if pipeline.commands.is_empty() {
            return Err(TemplateError::new(format!("{of} has no value")));
        }
        Ok(pipeline)
    }

    /// `$x :=`, `$x =`, `$i, $x :=` at the beginning of a pipeline.
    fn variables_of(&mut self, pipeline: &mut Pipeline, range: bool) -> Result<(), TemplateError> {
        let solid: Vec<&Token> = self.tokens.iter().rev().filter(|it| **it != Token::Space).take(4).collect();
        let (names, assigns) = match solid.as_slice() {
            [Token::Variable(a), Token::Declare, ..] => (vec![a.clone()], false),
            [Token::Variable(a), Token::Assign, ..] => (vec![a.clone()], true),
            [Token::Variable(a), Token::Comma, Token::Variable(b), Token::Declare] if range => {
                (vec![a.clone(), b.clone()], false)
            }
            [Token::Variable(a), Token::Comma, Token::Variable(b), Token::Assign] if range => {
                (vec![a.clone(), b.clone()], true)
            }
            _ => return Ok(()),
        };
        for _ in 0..names.len() * 2 {
            self.skip_space();
            self.next();
        }
        for name in &names {
            if assigns && !self.variables.contains(name) {
                return Err(TemplateError::new(format!("the variable {name} is not defined")));
            }
            if !assigns {
                self.variables.push(name.clone());
            }
        }
        (pipeline.variables, pipeline.assigns) = (names, assigns);
        Ok(())
    }

    fn command(&mut self, of: &str) -> Result<Command, TemplateError> {
        let head = self.operand(of)?;
        let mut arguments = Vec::new();
        loop {
            match self.peek() {
                Some(Token::Space) => self.skip_space(),
                Some(Token::Close | Token::RightParen | Token::Pipe) => {
                    return Ok(Command { head, arguments });
                }
                other => return Err(unexpected(other, of)),
            }
            if !matches!(self.peek(), Some(Token::Close | Token::RightParen | Token::Pipe)) {
                arguments.push(self.operand(of)?);
            }
        }
    }

    fn operand(&mut self, of: &str) -> Result<Operand, TemplateError> {
        let term = match self.next() {
            Some(Token::Dot) => Operand::Dot,
            Some(Token::Quoted(text)) => Operand::Constant(Value::text(text)),
            Some(Token::Char(code)) => Operand::Constant(Value::Int(code)),
            Some(Token::Number(text)) => Operand::Constant(super::number::constant(&text)?),
            Some(Token::Field(name)) => Operand::Field(vec![name]),
            Some(Token::Variable(name)) if self.variables.contains(&name) => {
                Operand::Variable(name, Vec::new())
            }
            Some(Token::Variable(name)) => {
                return Err(TemplateError::new(format!("the variable {name} is not defined")));
            }
            Some(Token::LeftParen) => {
                let pipeline = self.deeper(|it| it.pipeline("parentheses", false))?;
                match self.next() {
                    Some(Token::RightParen) => Operand::Paren(Box::new(pipeline)),
                    other => return Err(unexpected(other.as_ref(), "parentheses")),
                }
            }
            Some(Token::Word(word)) => match word.as_str() {
                "true" => Operand::Constant(Value::Bool(true)),
                "false" => Operand::Constant(Value::Bool(false)),
                "nil" => Operand::Constant(Value::Nil),
                name if (self.known)(name) => Operand::Function(name.into()),
                name => return Err(TemplateError::new(format!("the function {name:?} is not defined"))),
            },
            other => return Err(unexpected(other.as_ref(), of)),
        };
        self.chain(term)
    }

    /// The fields that follow a term without a space.
    fn chain(&mut self, term: Operand) -> Result<Operand, TemplateError> {
        let mut fields = Vec::new();
        while let Some(Token::Field(name)) = self.peek() {
            fields.push(name.clone());
            self.next();
        }
        if fields.is_empty() {
            return Ok(term);
        }
        match term {
            Operand::Field(mut first) => {
                first.extend(fields);
                Ok(Operand::Field(first))
            }
            Operand::Variable(name, _) => Ok(Operand::Variable(name, fields)),
            Operand::Dot | Operand::Constant(_) => {
                Err(TemplateError::new(format!("unexpected .{} after a constant", fields.concat())))
            }
            term => Ok(Operand::Chain(Box::new(term), fields)),
        }
    }
}

fn unexpected(token: Option<&Token>, of: &str) -> TemplateError {
    let what = match token {
        None => "the end".to_owned(),
        Some(Token::Text(text)) => format!("{:?}", text.chars().take(20).collect::<String>()),
        Some(Token::Field(name)) => format!("\".{name}\""),
        Some(Token::Variable(name) | Token::Word(name) | Token::Number(name) | Token::Quoted(name)) => {
            format!("{name:?}")
        }
        Some(Token::Close) => "the end of the action".to_owned(),
        Some(other) => format!("{other:?}"),
    };
    TemplateError::new(format!("unexpected {what} in {of}"))
}
