//! What a person does with a page, and reads on it.

use serde_json::{Value, json};

use super::Browser;
use crate::eventually::{LIMIT, eventually};

impl Browser {
    /// Clicks on the element of this CSS selector; what that leads to may come later.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Clicks on what leads to another page, such as a form's button, and waits for that page.
    pub fn follow(&self, selector: &str) {
        // The driver comes back from a click before the answer is there, when the machine is busy. Another page is
        // another document, also at the same address.
        self.run("document.answered = false");
        self.click(selector);
        eventually(LIMIT, &format!("the page after {selector}"), || {
            let there = "return document.answered !== false && document.readyState === 'complete'";
            match self.run(there) {
                Value::Bool(true) => Ok(()),
                _ => Err(self.path()),
            }
        });
    }

    /// Lets the mouse rest on the element of this CSS selector.
    pub fn point_at(&self, selector: &str) {
        // The name is that of the WebDriver standard.
        let origin = json!({"element-6066-11e4-a52e-4f735466cecf": self.element(selector)});
        let there = json!({"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin});
        let mouse = json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
            "actions": [there]});
        self.post("/actions", &json!({ "actions": [mouse] }));
    }

    /// Fills in a field of a form.
    pub fn fill_in(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/clear"), &json!({}));
        self.post(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// The path of the page that is open, with its query.
    pub fn path(&self) -> String {
        match self.run("return location.pathname + location.search") {
            Value::String(path) => path,
            other => panic!("a page has a path: {other}"),
        }
    }

    /// The text of the element of this CSS selector, as shown; none where there is no such element.
    pub fn text(&self, selector: &str) -> Option<String> {
        let selector = Value::from(selector);
        let text = self.run(&format!(
            "return document.querySelector({selector})?.innerText ?? null"
        ));
        text.as_str().map(str::to_owned)
    }

    /// The driver's name of the element of this CSS selector.
    fn element(&self, selector: &str) -> String {
        let element = self.post("/element", &json!({"using": "css selector", "value": selector}));
        element
            .as_object()
            .and_then(|element| element.values().next()?.as_str())
            .unwrap_or_else(|| panic!("{selector}: {element}"))
            .to_owned()
    }
}
