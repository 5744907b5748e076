internal import EventModel
internal import Foundation

/// Reads `--name value` words that the parser left over.
struct LooseOptions {
    /// In the order given; a name may come several times.
    var pairs: [(name: String, value: String)] = []
    var words: [String] = []

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--"), word.count > 2 else {
                words.append(word)
                continue
            }
            let body = word.dropFirst(2)
            if let equals = body.firstIndex(of: "=") {
                pairs.append((String(body[..<equals]), String(body[body.index(after: equals)...])))
            } else if let value = rest.popFirst() {
                pairs.append((String(body), value))
            } else {
                throw Failure(.usage, "\(word) needs a value")
            }
        }
    }
}

extension Schema.Kind {
    /// The JSON object that `--field value` words describe: text for text fields, JSON for all others; a repeated field takes
    /// several, or one value with commas.
    func json(_ options: LooseOptions) throws -> String {
        var members: [(String, [String])] = []
        for (name, value) in options.pairs {
            guard let field = fields.first(where: { [Teaching.option($0.name), $0.name].contains(name) }) else {
                let known = fields.map { "--\(Teaching.option($0.name))" }
                let why = Nearest.notA("field", of: self.name, "--\(name)", among: known, and: Send.optionNames)
                throw Failure(.usage, "--\(name) \(why)")
            }
            let values: [String]
            if field.repeated, field.textual {
                values = value.split(separator: ",").map { JSON.string($0.trimmingCharacters(in: .whitespaces)) }
            } else if field.textual {
                values = [JSON.string(value)]
            } else if field.repeated, value.hasPrefix("["), value.hasSuffix("]") {
                values = [String(value.dropFirst().dropLast())]
            } else {
                values = [value]
            }
            if let i = members.firstIndex(where: { $0.0 == field.name }) {
                if !field.repeated { throw Failure(.usage, "--\(name) is given twice") }
                members[i].1 += values
            } else {
                members.append((field.name, values))
            }
        }
        return JSON.object(
            members.map { name, values in
                let repeated = fields.first { $0.name == name }?.repeated ?? false
                return (name, repeated ? JSON.array(values) : values[0])
            })
    }
}
