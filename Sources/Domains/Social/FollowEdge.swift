public import EventModel
internal import SwiftProtobuf

/// Reads an edge list of a follow graph, one edge a line: the follower, then the followee, with spaces, a tab or a comma
/// between. A name may stand in quotes, and a quote in it is doubled. Lines that begin with # or % are remarks.
public enum FollowEdge {
    /// - Parameter mutual: Both follow each other.
    /// - Returns: nothing for a remark.
    public static func commands(_ line: ArraySlice<UInt8>, mutual: Bool) throws(Malformed) -> [EncodedCommand] {
        if line.first == UInt8(ascii: "#") || line.first == UInt8(ascii: "%") { return [] }
        var rest = line
        guard let one = try name(&rest), let other = try name(&rest) else {
            throw Malformed("line", "is not FOLLOWER FOLLOWEE")
        }
        return try mutual ? [follow(one, other), follow(other, one)] : [follow(one, other)]
    }

    private static let quote = UInt8(ascii: "\"")

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == UInt8(ascii: ",")
    }

    /// Takes the next name off a line; nil at its end.
    private static func name(_ rest: inout ArraySlice<UInt8>) throws(Malformed) -> String? {
        rest = rest.drop(while: isSeparator)
        guard let first = rest.first else { return nil }
        let bytes: ArraySlice<UInt8>
        if first == quote {
            bytes = try quoted(&rest)
        } else {
            bytes = rest.prefix { !isSeparator($0) }
            rest = rest[bytes.endIndex...]
        }
        guard let name = String(validating: bytes, as: UTF8.self) else { throw Malformed("line", "is not UTF-8") }
        return name
    }

    private static func quoted(_ rest: inout ArraySlice<UInt8>) throws(Malformed) -> ArraySlice<UInt8> {
        var name: [UInt8] = []
        rest = rest.dropFirst()
        while let end = rest.firstIndex(of: quote) {
            name += rest[..<end]
            rest = rest[(end + 1)...]
            guard let next = rest.first else { return name[...] }
            if isSeparator(next) { return name[...] }
            if next != quote { throw Malformed("line", "has something between a closing quote and the next name") }
            name.append(quote)
            rest = rest.dropFirst()
        }
        throw Malformed("line", "ends within quotes")
    }

    private static func follow(_ user: String, _ followee: String) throws(Malformed) -> EncodedCommand {
        let kind = SocialCommand.Kind.follow(.with { ($0.user, $0.followee) = (user, followee) })
        try Social.check(kind)
        if Social.handle(user) == Social.handle(followee) {
            throw Malformed("line", "\(user): \(SocialRefusal.selfFollow.message)")
        }
        return EncodedCommand(
            type: "Follow", key: Bytes(Social.key(of: kind)), value: SocialCommand.bytes(kind),
            id: "follow-\(Social.handle(user))-\(Social.handle(followee))")
    }
}
