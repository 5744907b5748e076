import EventModel
import Testing

@testable import KVDomain

@Suite("The tags of keys")
struct HashTagTests {
    /// The examples of Redis Cluster's specification, and its ends.
    @Test(arguments: [
        ("{user1000}.following", "user1000"), ("foo{}{bar}", "foo{}{bar}"), ("foo{{bar}}zap", "{bar"),
        ("foo{bar}{zap}", "bar"), ("plain", "plain"), ("{", "{"), ("}{", "}{"), ("{}", "{}"), ("a{b", "a{b"),
        ("{é}x", "é"), ("{e\u{301}}", "e\u{301}"),
    ])
    func `are as Redis Cluster has them`(key: String, tag: String) {
        #expect(Array(HashTag.of(key).utf8) == Array(tag.utf8))
        #expect(HashTag.of(Bytes(key)) == Bytes(tag))
    }
}
