import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import AccountsDomain

/// The bytes were made by `protoc --encode` from the same values as text.
enum AccountsGoldens {
    static let events: [(AccountFact, String)] = [
        (.registered, "0a2a0a03616e6e1203416e6e1a034c656522044f736c6f2a037465612a06747261696e73320268693a026330"),
        (.profiled, "12260a03616e6e1203416e6e1a034c656522044f736c6f2a037465612a06747261696e7332026869"),
        (.password("c2"), "1a090a03616e6e12026332"),
        (.opened("s1"), "22150a03616e6e120273311a026330220608c0f6a1d706"),
        (.closed("s1"), "2a110a03616e6e120273311a0608c0f6a1d706"),
        (.deactivated, "32050a03616e6e"),
    ]
    static let commands: [(AccountCommand, String)] = [
        (.register, "0a260a03616e6e1203416e6e1a034c656522044f736c6f2a037465612a06747261696e7332026869"),
        (.profile, "12260a03616e6e1203416e6e1a034c656522044f736c6f2a037465612a06747261696e7332026869"),
        (.change(keeping: "s1", proved: "c0"), "1a0d0a03616e6e120273311a026330"),
        (.open("s1", seconds: 60), "220f0a03616e6e120273311a026330203c"),
        (.close("s1"), "2a090a03616e6e12027331"),
        (.deactivate, "32050a03616e6e"),
    ]
    static let all: [Golden] =
        events.map { Golden(AccountsEvent.self, $0, $1) } + commands.map { Golden(AccountsCommand.self, $0, $1) }
}

@Suite("The bytes of accounts on the log")
struct AccountsBytesTests {
    @Test func `stay as they are, and are known for every kind`() {
        expect(AccountsGoldens.all, of: Domain.accounts.schemas)
    }
    @Test func `have a comment for every kind`() throws {
        let decider = try #require(Domain.accounts.decider)
        for schema in [decider.commands, decider.events] {
            for kind in schema.kinds { #expect(!kind.about.isEmpty, "\(kind.name)") }
        }
    }
    @Test func `have no field for a password`() {
        for schema in Domain.accounts.schemas {
            for kind in schema.kinds {
                let names = kind.fields.map { $0.name.lowercased() }
                #expect(!names.contains { $0.contains("password") || $0.contains("hash") }, "\(kind.name)")
            }
        }
    }
}
