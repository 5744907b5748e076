internal import EventModel

extension Catalogue.Found {
    /// What `millrace events` shows of it.
    ///
    /// - Parameter what: `event` or `command`.
    package func members(_ what: String) -> Members {
        let example = self.example
        let actor = domain.actor(of: kind)
        let required = example?.required
        let fields = kind.fields.map { field in
            JSON.object(
                [
                    ("name", JSON.string(field.name)), ("type", JSON.string(field.type)),
                    ("repeated", String(field.repeated)),
                    ("required", required.map { String($0.contains(field.name)) } ?? "null"),
                    ("about", JSON.string(field.about)),
                ] + (field.name == actor?.name ? [("actor", "true")] : [])
                    + (field.values.isEmpty ? [] : [("values", JSON.array(field.values.map(JSON.string)))]))
        }
        return [
            ("domain", JSON.string(domain.name)), ("kind", JSON.string(what)),
            ("name", JSON.string(kind.name)), ("topic", JSON.string(topic)),
            ("about", JSON.string(kind.about)), ("fields", JSON.array(fields)),
            ("example", example?.least ?? "null"),
        ]
    }
}
