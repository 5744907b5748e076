internal import EventModel
internal import MillraceBus

/// What several pages have.
enum PageParts {
    /// A table that scrolls by itself where it is wider than the page.
    static func table(_ caption: String, _ columns: [Column], @HTMLBuilder rows: () -> HTML) -> HTML {
        HTML.tag("div", .class("scroll"), .set("role", "region"), .label(caption), .set("tabindex", "0")) {
            HTML.tag("table") {
                HTML.tag("thead") {
                    HTML.tag("tr") {
                        for column in columns {
                            HTML.tag("th", .set("scope", "col"), .class(column.isNumber ? "n" : "t")) {
                                column.name
                                if !column.about.isEmpty { HTML.tag("small") { column.about } }
                            }
                        }
                    }
                }
                HTML.tag("tbody") { rows() }
            }
        }
    }

    struct Column {
        var name: String
        var about = ""
        var isNumber = false

        static func text(_ name: String) -> Column { Column(name: name) }
        static func number(_ name: String) -> Column { Column(name: name, isNumber: true) }
    }

    /// A cell whose text may be of any script and direction.
    static func cell(_ text: String, isNumber: Bool = false) -> HTML {
        let kind = isNumber ? "n" : text.utf8.count > wide ? "t long" : "t"
        return HTML.tag("td", .class(kind), .set("dir", "auto")) { Shown.text(text) }
    }

    /// Texts of more bytes may be broken anywhere.
    private static let wide = 32

    static func number(_ value: some BinaryInteger) -> HTML { cell(grouped(Int64(value)), isNumber: true) }

    /// `12,345`.
    static func grouped(_ value: Int64) -> String {
        let digits = Array(String(value.magnitude))
        var out = ""
        for (i, digit) in digits.enumerated() {
            if i > 0, (digits.count - i) % 3 == 0 { out += "," }
            out.append(digit)
        }
        return value < 0 ? "-" + out : out
    }

    /// One field of a form: its label, itself, what it is and what was wrong with it.
    ///
    /// - Parameter control: Makes the field, given the attributes that all have.
    static func field(
        _ id: String, _ label: String, about: String, isRequired: Bool = false, error: String? = nil,
        _ control: ([HTML.Attribute]) -> HTML
    ) -> HTML {
        let told = (about.isEmpty ? [] : ["\(id)-about"]) + (error == nil ? [] : ["\(id)-error"])
        var attributes: [HTML.Attribute] = [.id(id), .flag("required", isRequired)]
        if !told.isEmpty { attributes.append(.set("aria-describedby", told.joined(separator: " "))) }
        if error != nil { attributes.append(.set("aria-invalid", "true")) }
        return HTML.tag("div", .class("field")) {
            HTML.tag("label", .for(id)) {
                label
                if isRequired { HTML.tag("span", .class("needed")) { " required" } }
            }
            control(attributes)
            if !about.isEmpty { HTML.tag("p", .id("\(id)-about"), .class("about")) { about } }
            if let error { HTML.tag("p", .id("\(id)-error"), .class("error")) { error } }
        }
    }

    /// A choice of some values, or of none of them.
    static func select(
        _ attributes: [HTML.Attribute], name: String, _ values: [String], chosen: String, none: String = ""
    ) -> HTML {
        HTML.tag("select", attributes + [.name(name)]) {
            HTML.tag("option", .value("")) { none }
            for value in values { HTML.tag("option", .value(value), .flag("selected", value == chosen)) { value } }
        }
    }

    static func input(_ attributes: [HTML.Attribute], name: String, _ value: String, _ type: StaticString = "text")
        -> HTML
    {
        HTML.tag(
            "input",
            attributes + [
                .name(name), .type(type), .value(value), .set("autocomplete", "off"), .set("spellcheck", "false"),
            ])
    }

    /// Links to what a domain has.
    static func contents(of domain: Domain, _ access: Access) -> HTML {
        HTML.tag("div", .class("contents")) {
            if access.allows(.send, in: domain.name), let decider = domain.decider {
                list(
                    "Commands",
                    decider.commands.kinds.map { (.command("\(domain.name).\($0.name)"), $0.name, $0.about) })
            }
            if access.allows(.query, in: domain.name) {
                list("Views", domain.queries.map { (.view($0.name), $0.name, $0.about) })
            }
            if access.allows(.replay, in: domain.name) {
                list("Topics", domain.topics.map { (.topic($0.name), $0.name, "Key: \($0.key).") })
            }
        }
    }

    private static func list(_ title: String, _ links: [(path: PagePath, name: String, about: String)]) -> HTML {
        if links.isEmpty { return HTML() }
        return HTML.tag("section") {
            HTML.tag("h3") { title }
            HTML.tag("ul", .class("links")) {
                for link in links {
                    HTML.tag("li") {
                        HTML.tag("a", .href(link.path.link())) { link.name }
                        HTML.tag("p", .class("about")) { link.about }
                    }
                }
            }
        }
    }
}
