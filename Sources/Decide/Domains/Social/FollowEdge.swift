public import EventModel
internal import SwiftProtobuf

/// Reads an edge list of a follow graph, one edge a line: the follower, then the followee, with spaces, a tab or a comma
/// between. Lines that begin with # or % are remarks.
public enum FollowEdge {
    /// - Parameter mutual: Both follow each other.
    /// - Returns: nothing for a remark.
    public static func commands(_ line: ArraySlice<UInt8>, mutual: Bool) throws(Malformed) -> [EncodedCommand] {
        if line.first == UInt8(ascii: "#") || line.first == UInt8(ascii: "%") { return [] }
        let words = line.split { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
        guard words.count >= 2 else { throw Malformed("line", "is not FOLLOWER FOLLOWEE") }
        let (one, other) = (String(decoding: words[0], as: UTF8.self), String(decoding: words[1], as: UTF8.self))
        return try mutual ? [follow(one, other), follow(other, one)] : [follow(one, other)]
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
