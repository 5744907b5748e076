import Domains
import EventModel
import Testing

@Suite("Profiles from accounts to social")
struct ProfilesAcrossTests {
    private func domain(_ name: String) throws -> Domain { try #require(Domains.all.first { $0.name == name }) }

    /// What the reaction of social makes of a fact of accounts, as JSON.
    private func told(_ kind: String, _ json: Bytes) throws -> [String] {
        let events = try #require(domain("accounts").schema(of: "accounts.events"))
        let bytes = try events.encode(try #require(events.kind(named: kind)), json: json)
        let reaction = try #require(domain("social").reactions.first { $0.topics.contains("accounts.events") })
        let record = Record(offset: 0, timestamp: Timestamp(0), key: "ann", value: bytes)
        let profiles = try #require(domain("social").schema(of: "social.profiles"))
        return try reaction.memory().react(to: record, from: TopicPartition("accounts.events", 0)).flatMap { emission in
            try emission.records(among: 4).map { _, key, value in
                let read = try profiles.decode(value)
                return "\(key.text) \(read.kind) \(read.json)"
            }
        }
    }

    @Test func `social reads the events of accounts by a shape of its own, which is theirs`() throws {
        let said: Bytes = #"{"user":"ann","firstName":"Ann","location":"Oslo","interests":["tea","rain"],"about":"hi"}"#
        let told = #"{"user":"ann","location":"Oslo","interests":["tea","rain"],"about":"hi"}"#
        #expect(try self.told("UserRegistered", said) == ["ann ProfileTold \(told)"])
        #expect(try self.told("ProfileChanged", said) == ["ann ProfileTold \(told)"])
        #expect(try self.told("UserDeactivated", #"{"user":"ann"}"#) == [#"ann AccountLeft {"user":"ann"}"#])
        for other in ["PasswordChanged", "SessionOpened", "SessionClosed"] {
            #expect(try self.told(other, #"{"user":"ann"}"#) == [], "\(other)")
        }
    }
}
