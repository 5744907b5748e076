package import EventModel
internal import Foundation
internal import Handling

/// Turns lines into commands.
package struct CommandLines: Sendable {
    package struct Command: Sendable {
        package var domain: Domain
        package var encoded: EncodedCommand
    }

    private let catalogue: Catalogue
    private let named: Catalogue.Found?
    private let time: Timestamp?
    private let acting: @Sendable (Domain) -> Acting?

    /// - Parameters:
    ///   - named: The command of lines that do not name theirs.
    ///   - time: The time of lines that do not tell theirs.
    ///   - acting: Who sends to a domain; nil where that is not asked.
    package init(
        catalogue: Catalogue, named: Catalogue.Found?, time: Timestamp?,
        by acting: @escaping @Sendable (Domain) -> Acting? = { _ in nil }
    ) {
        (self.catalogue, self.named, self.time, self.acting) = (catalogue, named, time, acting)
    }

    package static let rule =
        "must be 1 to \(Limits.commandID) characters in NFC, without spaces, ':' and what is not seen"

    package static func isID(_ id: String) -> Bool {
        !id.isEmpty && id.unicodeScalars.count <= Limits.commandID && (try? Check.spelling(id, "id")) != nil
            && !id.unicodeScalars.contains {
                $0.properties.isWhitespace || $0 == ":" || $0.value < 0x20 || $0 == "\u{7f}"
            }
    }

    /// The command of a line, nil for an empty one.
    package func read(_ line: InputLine) throws -> Command? {
        if line.tooLong { throw Malformed("line", "is over \(Limits.lineBytes) bytes") }
        if line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return nil }
        if String(validating: line.bytes, as: UTF8.self) == nil { throw Malformed("line", "is not UTF-8") }
        guard let members = TopLevel(line.bytes) else { throw Malformed("line", "is no JSON object") }
        let own = (command: members["@command"], id: members["@id"], time: members["@time"])
        guard let found = try own.command.map(command) ?? named else {
            throw Malformed("@command", "is missing; it names the line's command")
        }
        let id = try own.id.map(id) ?? UUID().uuidString.lowercased()
        let gone = [own.command, own.id, own.time].compactMap { $0 }
        let json = String(decoding: members.without(gone), as: UTF8.self)
        return Command(
            domain: found.domain,
            encoded: try found.command(
                json: json, id: id, at: own.time.map(moment) ?? time, by: acting(found.domain)))
    }

    private func command(_ said: TopLevel.Member) throws -> Catalogue.Found {
        guard let name = said.text else { throw Malformed("@command", "must be a text") }
        do {
            return try catalogue.command(name)
        } catch let error as UnknownName {
            throw Malformed("@command", error.message(shownBy: error.place))
        } catch let error as BusError {
            throw Malformed("@command", error.message)
        }
    }

    private func id(_ said: TopLevel.Member) throws -> String {
        guard let id = said.text, Self.isID(id) else { throw Malformed("@id", Self.rule) }
        return id
    }

    private func moment(_ said: TopLevel.Member) throws -> Timestamp {
        guard let time = EventLines.time(said) else {
            throw Malformed("@time", "must be RFC 3339, or seconds or milliseconds since 1970")
        }
        if time > now() + maximumClockSkew {
            throw Malformed("@time", "\(time.rfc3339) is over \(maximumClockSkew.short) ahead of this machine's clock")
        }
        return time
    }
}
