import EventModel
import Foundation
import MillraceBus
import Synchronization
import Testing

@testable import MillraceGateway
@testable import Tokens

@Suite("A file of keys")
struct KeyFileTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)"
    private let clock = Timestamp(1_800_000_000_000)

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func file(_ keys: KeySet, mode: mode_t = 0o600) throws -> KeyFile {
        let file = KeyFile("\(folder)/\(UUID().uuidString).json")
        try file.write(keys, replacing: false)
        chmod(file.path, mode)
        return file
    }

    @Test func `is its owner's alone, and is never written over unasked`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let keys = try KeySet.made("a", .edDSA)
        let file = try file(keys)
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        let read = try file.read()
        #expect(mode == 0o600 && read.text == keys.text)
        #expect(throws: KeyRefusal.self) { try file.write(keys, replacing: false) }
        try file.write(keys.adding("b", .hs256), replacing: true)
        #expect(try file.read().keys.map(\.name) == ["a", "b"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    }

    @Test(arguments: [0o640, 0o604, 0o644, 0o610, 0o602, 0o666])
    func `that others can read is refused, with what to do`(_ mode: Int) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for algorithm in TokenAlgorithm.allCases {
            let file = try file(KeySet.made("a", algorithm), mode: mode_t(mode))
            #expect { try file.read() } throws: { error in
                (error as? BusError).map { $0.kind == .configuration && $0.message.contains("chmod 600 \(file.path)") }
                    ?? false
            }
        }
    }

    @Test func `of public keys may be read by others, and not written`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let open = try #require(try KeySet.made("a", .edDSA).opened())
        #expect(try file(open, mode: 0o644).read().keys.count == 1)
        #expect { try file(open, mode: 0o664).read() } throws: {
            ($0 as? BusError)?.message.contains("chmod 644") ?? false
        }
    }

    @Test func `that is not there, no file or no set of keys is refused, and named`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for path in ["\(folder)/none", folder, "/dev/null"] {
            #expect { try KeyFile(path).read() } throws: { ($0 as? BusError)?.message.contains(path) ?? false }
        }
        try "{}".write(toFile: "\(folder)/empty", atomically: true, encoding: .utf8)
        chmod("\(folder)/empty", 0o600)
        #expect { try KeyFile("\(folder)/empty").read() } throws: {
            ($0 as? BusError)?.message.contains("not taken") ?? false
        }
    }

    @Test func `is read again: what has gone is refused, and one that is damaged changes nothing`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (first, second) = (try KeySet.made("a", .edDSA), try KeySet.made("b", .edDSA))
        let file = try file(first)
        let authority = try TokenAuthority(file, clock: { Timestamp(1_800_000_000_000) })
        let claims = Claims(subject: "ann", scopes: ["*:query"], expires: clock + .seconds(60))
        let token = try Token.make(claims, with: first.keys[0], at: clock)
        // Twice: the second time it is known.
        for _ in 0..<2 { #expect(try authority.access(token: token).subject == "ann") }
        try "{".write(toFile: file.path, atomically: false, encoding: .utf8)
        #expect(throws: BusError.self) { try authority.reload() }
        #expect(try authority.access(token: token).allows(.query, in: "tickets"))
        try file.write(second, replacing: true)
        try authority.reload()
        #expect { try authority.access(token: token) } throws: { ($0 as? Problem)?.status == .unauthorized }
        let next = try Token.make(claims, with: second.keys[0], at: clock)
        #expect(try authority.access(token: next).subject == "ann")
    }

    @Test func `lets a token that was known expire`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let keys = try KeySet.made("a", .hs256)
        let time = Mutex(clock)
        let authority = try TokenAuthority(try file(keys), clock: { time.withLock { $0 } })
        let token = try Token.make(
            Claims(subject: "ann", scopes: [], expires: clock + .seconds(60)), with: keys.keys[0], at: clock)
        #expect(try authority.access(token: token).grants.isEmpty)
        time.withLock { $0 = clock + .seconds(60) + TokenLimits.leeway }
        #expect { try authority.access(token: token) } throws: {
            ($0 as? Problem)?.challenge?.contains(#"error="invalid_token""#) ?? false
        }
    }
}
