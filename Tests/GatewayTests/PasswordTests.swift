import EventModel
import Foundation
import MillraceBus
import Testing

@testable import MillraceGateway
@testable import Passwords
@testable import Secrets

/// So cheap that a test may hash many.
private let cheap = ScryptCost(log2N: 4, r: 8, p: 1)

@Suite("A password")
struct PasswordTests {
    private let right: Password

    init() throws { right = try Password("correct horse battery") }

    @Test func `is hashed as RFC 7914 has it`() throws {
        // Its second test vector, cut to the bytes of a hash here.
        let hash = ScryptCost(log2N: 10, r: 8, p: 16).hash(Array("password".utf8), salt: Array("NaCl".utf8))
        #expect(
            hash.map { String(format: "%02x", $0) }.joined()
                == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
    }
    @Test func `is hashed with what OWASP advises`() {
        #expect(PasswordLimits.cost == ScryptCost(log2N: 17, r: 8, p: 1))
        let verifier = PasswordVerifier(right)
        #expect(verifier.text.hasPrefix("$scrypt$ln=17,r=8,p=1$"))
        #expect(verifier.matches(right))
    }
    @Test func `is known again, and no other is taken for it`() throws {
        let verifier = PasswordVerifier(right, cost: cheap)
        let read = try #require(PasswordVerifier(verifier.text))
        #expect(read == verifier && read.matches(right))
        for wrong in ["correct horse batterY", "correct horse battery ", "c", "correct horse batter"] {
            #expect(try !read.matches(Password(wrong)), "\(wrong)")
        }
        #expect(PasswordVerifier(right, cost: cheap).text != verifier.text)
        #expect(!PasswordVerifier(matchingNothing: cheap).matches(right))
    }
    @Test func `is one, however a keyboard writes its letters`() throws {
        let verifier = PasswordVerifier(try Password("caf\u{e9} noir 12"), cost: cheap)
        #expect(try verifier.matches(Password("cafe\u{301} noir 12")))
    }
    @Test func `stands in no message`() throws {
        let secret = try Password("hunter2hunter2")
        for text in [
            "\(secret)", String(reflecting: secret), "\([secret])", "\(PasswordVerifier(secret, cost: cheap))",
        ] {
            #expect(!text.contains("hunter2") && !text.contains("$"), "\(text)")
        }
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("104"))
        for bad in ["", "a\u{1}hunter2", String(repeating: "hunter2", count: 200)] {
            #expect { try Password(bad) } throws: { !"\($0)".contains("hunter2") }
        }
    }
    @Test(arguments: ["short", "ann12345", "annann", "Ann_1234", "aaaaaaaaaaaa", "abababababab"])
    func `that is easy to guess becomes nobody's`(text: String) throws {
        let password = try Password(text)
        #expect(throws: Malformed.self) { try password.checkNew(of: text.hasPrefix("A") ? "ann_1234" : "ann12") }
    }
    @Test(
        arguments: [
            "", "$scrypt$", "$scrypt$ln=4,r=8$AAAA$AAAA", "$argon2id$ln=4,r=8,p=1$AAAA$AAAA",
            "$scrypt$ln=40,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            // Scrypt does not take the first, and the second takes a gigabyte.
            "$scrypt$ln=16,r=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=20,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ])
    func `is checked by nothing that is no verifier`(text: String) { #expect(PasswordVerifier(text) == nil) }

    @Test func `that is too often wrong is looked at no more, of a name and from an address`() {
        let (attempts, start) = (Attempts(), ContinuousClock.now)
        for _ in 0..<10 { #expect(attempts.take(["of ann", "from a"], at: start) == nil) }
        let wait = attempts.take(["of ann", "from b"], at: start)
        #expect(wait.map { $0 > .seconds(29) && $0 <= .seconds(30) } == true)
        #expect(attempts.take(["of ben", "from a"], at: start) != nil)
        // What was refused took nothing.
        #expect(attempts.take(["of ben", "from b"], at: start) == nil)
        #expect(attempts.take(["of ann", "from b"], at: start + .seconds(31)) == nil)
        #expect(attempts.take(["of ann", "from b"], at: start + .seconds(31)) != nil)
        // A right one costs nothing.
        for _ in 0..<50 {
            #expect(attempts.take(["of cy"], at: start) == nil)
            attempts.giveBack(["of cy"])
        }
    }
    @Test func `of whoever registers is counted by itself, and by its own measure`() {
        let start = ContinuousClock.now
        let signUps = Attempts(most: GatewayLimits.signUps, oneMoreEvery: GatewayLimits.signUpEvery)
        for _ in 0..<Int(GatewayLimits.signUps) { #expect(signUps.take(["a"], at: start) == nil) }
        let wait = signUps.take(["a"], at: start)
        #expect(wait.map { $0 > .zero && $0 <= GatewayLimits.signUpEvery } == true)
        #expect(signUps.take(["b"], at: start) == nil)
        #expect(signUps.take(["a"], at: start + GatewayLimits.signUpEvery) == nil)
        #expect(signUps.take(["a"], at: start + GatewayLimits.signUpEvery) != nil)
    }
    @Test func `of somebody who is not there is hashed as a wrong one is`() async throws {
        // Seen by what is done, for how long that takes is the machine's.
        #expect(PasswordVerifier(matchingNothing: cheap).cost == cheap)
        let hashing = Hashing(cost: ScryptCost(log2N: 13, r: 8, p: 1))
        let (done, busy) = await withTaskGroup(of: Bool?.self) { group in
            for _ in 0..<200 { group.addTask { try? await hashing.matches(right, nil) } }
            return await group.reduce(into: (0, 0)) { if $1 == false { $0.0 += 1 } else if $1 == nil { $0.1 += 1 } }
        }
        #expect(done >= PasswordLimits.waiting && done + busy == 200)
    }

    @Test func `is hashed by so many at once, and the rest are told to come again`() async throws {
        let hashing = Hashing(cost: ScryptCost(log2N: 13, r: 8, p: 1))
        let (done, busy) = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 { group.addTask { (try? await hashing.verifier(right)) != nil } }
            return await group.reduce(into: (0, 0)) { if $1 { $0.0 += 1 } else { $0.1 += 1 } }
        }
        #expect(done >= PasswordLimits.waiting && done + busy == 200)
        let verifier = try await hashing.verifier(right)
        #expect(try await hashing.matches(right, verifier))
    }
}

@Suite("A store of credentials")
struct CredentialFileTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/credentials-\(UUID().uuidString)"
    private let verifier: PasswordVerifier
    private let noon = Timestamp(1_793_534_400_000)

    init() throws {
        verifier = PasswordVerifier(try Password("correct horse"), cost: cheap)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    @Test func `is its owner's alone, whatever the mask of the process`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = CredentialFile(folder + "/c.db")
        #expect(try file.keep(verifier, of: "ann", "c1", at: noon))
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let mode = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(name)")
        }
    }
    @Test(arguments: [0o640, 0o604, 0o660]) func `that others can read is refused`(mode: Int) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/c.db"
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        chmod(path, mode_t(mode))
        #expect { try CredentialFile(path).verifier(of: "ann", "c1") } throws: {
            ($0 as? BusError)?.message.contains("chmod 600") ?? false
        }
        // Also before anybody asks it.
        #expect { try CredentialFile(path).check() } throws: {
            ($0 as? BusError)?.message.contains("chmod 600") ?? false
        }
    }
    @Test func `is looked at where it is there, and not made for it`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/c.db"
        try CredentialFile(path).check()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try CredentialFile(path).keep(verifier, of: "ann", "c1", at: noon))
        try CredentialFile(path).check()
        #expect { try CredentialFile(folder).check() } throws: { "\($0)".contains("is no file") }
    }
    @Test func `keeps the first under a name, and is seen by another process at once`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (one, other) = (CredentialFile(folder + "/c.db"), CredentialFile(folder + "/c.db"))
        #expect(try one.keep(verifier, of: "ann", "c1", at: noon))
        #expect(try other.verifier(of: "ann", "c1") == verifier)
        let later = PasswordVerifier(try Password("something else"), cost: cheap)
        #expect(try !other.keep(later, of: "ann", "c1", at: noon))
        #expect(try other.keep(later, of: "ben", "c1", at: noon))
        #expect(try one.verifier(of: "ann", "c1") == verifier && one.verifier(of: "ben", "c1") == later)
        #expect(try one.verifier(of: "ann", "c2") == nil)
        try one.forget("ann", "c1")
        #expect(try other.verifier(of: "ann", "c1") == nil && other.verifier(of: "ben", "c1") == later)
    }
    @Test func `forgets what does not hold once no command can be on its way`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = CredentialFile(folder + "/c.db")
        for (name, age) in [("held", 100_000), ("old", 100_000), ("new", 60)] as [(String, Int64)] {
            #expect(try file.keep(verifier, of: "ann", name, at: noon - .seconds(age)))
        }
        try file.forgetOthers(of: "ann", than: "held", at: noon)
        #expect(try ["held", "old", "new"].map { try file.verifier(of: "ann", $0) != nil } == [true, false, true])
    }
}

@Suite("A command with a password")
struct PasswordedCommandTests {
    @Test func `goes on without it`() throws {
        let said = try PasswordedCommand(
            #"{"user":"ann","password":"correct horse","interests":["tea",1.50],"oldPassword":"x\u00e9"}"#)
        #expect(said.password != nil && said.oldPassword != nil)
        #expect(said.json == #"{"user":"ann","interests":["tea",1.50]}"#)
    }
    @Test(
        arguments: [
            #"{"password":1}"#, #"{"password":"s3cret-s3cret","password":"s3cret-s3cret"}"#, #"["s3cret-s3cret"]"#,
            #"{"password":"s3cret-s3cret""#, #"{"password":["s3cret-s3cret"]}"#, #"{"password":""}"#,
        ])
    func `that is none is refused, and not repeated`(json: String) {
        #expect { try PasswordedCommand(json) } throws: { $0 is Malformed && !"\($0)".contains("s3cret") }
    }
    @Test func `says no credential by itself`() throws {
        var said = try PasswordedCommand(#"{"user":"ann","credential":"c0"}"#)
        #expect(throws: Malformed.self) { try said.set("credential", to: "c1") }
        try said.set("proved", to: "c\"1")
        #expect(said.json == #"{"user":"ann","credential":"c0","proved":"c\"1"}"#)
    }
}
