import EventModel
import MillraceBus
import Secrets
import Testing

@testable import Tokens

/// Keys of these tests, and tokens that nobody should make.
private struct Forge {
    static let now = Timestamp(1_800_000_000_000)
    let keys: KeySet
    let hmac: TokenKey
    let pair: TokenKey

    init() throws {
        keys = try KeySet.made("pair", .edDSA).adding("secret", .hs256)
        (pair, hmac) = (try #require(keys.key(named: "pair")), try #require(keys.key(named: "secret")))
    }

    static let claims = #""sub":"ann","aud":"millrace","scope":"tickets:send *:query","exp":1800000060"#

    func token(_ header: String, _ claims: String = "{\(claims)}", by key: TokenKey? = nil) throws -> String {
        let signed = "\(UnpaddedBase64.url.text(header.utf8)).\(UnpaddedBase64.url.text(claims.utf8))"
        let signature = try #require((key ?? hmac).signature(of: Array(signed.utf8)))
        return "\(signed).\(UnpaddedBase64.url.text(signature))"
    }

    /// With sound claims but for one more.
    func with(_ more: String) throws -> String { try token(Self.sound, "{\(Self.claims),\(more)}") }

    static let sound = #"{"alg":"HS256","kid":"secret"}"#

    func refusal(_ token: String, at now: Timestamp = now) -> TokenRefusal.Kind? {
        do throws(TokenRefusal) {
            _ = try keys.claims(of: token, at: now)
            return nil
        } catch {
            return error.kind
        }
    }
}

@Suite("A token")
struct TokenTests {
    private let forge: Forge
    init() throws { forge = try Forge() }

    @Test(arguments: ["pair", "secret"])
    func `is taken with what it says, and by no other set of keys`(_ name: String) throws {
        let claims = Claims(
            subject: "ann", scopes: ["tickets:send", "*:query"], id: Token.newID(), notBefore: Forge.now,
            expires: Forge.now + .seconds(60))
        let token = try Token.make(claims, with: #require(forge.keys.key(named: name)), at: Forge.now)
        #expect(try forge.keys.claims(of: token, at: Forge.now) == claims)
        let others = try KeySet.made("pair", .edDSA).adding("secret", .hs256)
        #expect { try others.claims(of: token, at: Forge.now) } throws: { ($0 as? TokenRefusal)?.kind == .signature }
    }

    /// RFC 7515, appendix A.1, and RFC 8037, appendix A.
    @Test func `is signed as others sign it`() throws {
        let secret =
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        let seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
        let half = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        let set = try KeySet(
            #"{"keys":[{"kty":"oct","kid":"a","k":"\#(secret)"},{"kty":"OKP","crv":"Ed25519","kid":"b","d":"\#(seed)","x":"\#(half)"}]}"#
        )
        let first =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        let second = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        let signatures = [
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ]
        for (key, (signed, signature)) in zip(set.keys, zip([first, second], signatures)) {
            #expect(key.signature(of: Array(signed.utf8)).map { UnpaddedBase64.url.text($0) } == signature)
            #expect(key.verifies(try #require(UnpaddedBase64.url.bytes(Array(signature.utf8))), of: Array(signed.utf8)))
        }
    }

    @Test(arguments: ["none", "None", "NONE", "nOnE", "", "HS512", "hs256", "RS256"])
    func `of another algorithm than its key's is refused`(_ algorithm: String) throws {
        #expect(forge.refusal(try forge.token(#"{"alg":"\#(algorithm)","kid":"secret"}"#)) == .algorithm)
        let unsigned = try forge.token(#"{"alg":"\#(algorithm)","kid":"secret"}"#).split(separator: ".")
        #expect(forge.refusal("\(unsigned[0]).\(unsigned[1]).") == .algorithm)
    }

    @Test func `signed with a public key as if it were a secret is refused`() throws {
        let shown = try #require(try forge.keys.opened()?.text)
        let half = try #require(shown.firstMatch(of: #/"x":"([^"]+)"/#)?.1)
        let bytes = try #require(UnpaddedBase64.url.bytes(Array(half.utf8)))
        for secret in [bytes, Array(half.utf8), Array(shown.utf8)] {
            for algorithm in ["HS256", "EdDSA"] {
                let signed =
                    "\(UnpaddedBase64.url.text(#"{"alg":"\#(algorithm)","kid":"pair"}"#.utf8)).\(UnpaddedBase64.url.text("{\(Forge.claims)}".utf8))"
                let code = HMACKey(secret: secret).code(of: Array(signed.utf8))
                let refusal = forge.refusal("\(signed).\(UnpaddedBase64.url.text(code))")
                #expect(refusal == (algorithm == "HS256" ? .algorithm : .signature))
            }
        }
        // And a secret one is not taken for the other kind.
        #expect(forge.refusal(try forge.token(#"{"alg":"EdDSA","kid":"secret"}"#)) == .algorithm)
        #expect(forge.refusal(try forge.token(#"{"alg":"HS256","kid":"pair"}"#)) == .algorithm)
    }

    @Test func `has the second name of its algorithm too`() throws {
        #expect(forge.refusal(try forge.token(#"{"alg":"Ed25519","kid":"pair"}"#, by: forge.pair)) == nil)
    }

    @Test(arguments: [
        #"{"alg":"HS256"}"#, #"{"alg":"HS256","kid":"other"}"#, #"{"alg":"HS256","kid":null}"#,
        #"{"alg":"HS256","kid":["secret"]}"#, #"{"alg":"HS256","kid":"../../dev/null"}"#,
        #"{"alg":"HS256","kid":"' or 1=1"}"#, #"{"alg":"HS256","kid":""}"#,
    ])
    func `that names no known key is refused`(_ header: String) throws {
        #expect(forge.refusal(try forge.token(header)) == .unknownKey)
    }

    @Test func `that brings its own key is checked with ours`() throws {
        let own = try KeySet.made("pair", .edDSA)
        let shown = try #require(try own.opened()?.text).replacing("\n", with: "")
        let header = #"{"alg":"EdDSA","kid":"pair","jku":"https://evil.example/keys.json","jwk":\#(shown)}"#
        #expect(forge.refusal(try forge.token(header, by: own.keys[0])) == .signature)
    }

    @Test(arguments: [
        #"{"alg":"HS256","kid":"secret","crit":["exp"]}"#,
        #"{"alg":"HS256","kid":"secret","b64":false,"crit":["b64"]}"#,
        #"{"alg":"HS256","alg":"none","kid":"secret"}"#, #"{"alg":"HS256","kid":"secret","kid":"pair"}"#,
        #"{"alg":"HS256","kid":"secret","typ":"dpop+jwt"}"#, #"{"alg":"HS256","kid":"secret","typ":1}"#, "[]", "{", "",
    ])
    func `with a header that cannot be meant is refused`(_ header: String) throws {
        #expect(forge.refusal(try forge.token(header)) == .malformed)
    }

    @Test func `that is changed anywhere is refused`() throws {
        let token = try forge.token(Forge.sound)
        #expect(forge.refusal(token) == nil)
        let letters = Array(token)
        for i in letters.indices {
            for other in ["A", "_", "=", " "] where Character(other) != letters[i] {
                let changed = String(letters[..<i]) + other + String(letters[(i + 1)...])
                #expect(forge.refusal(changed) != nil, "\(i) \(other)")
            }
        }
        for changed in ["", ".", "..", "...", token + ".", token + "=", " " + token, token + "\n", token + "." + token]
        {
            #expect(forge.refusal(changed) == .malformed, "\(changed)")
        }
        // What is cut off or put on may leave no base64url.
        for changed in [String(token.dropLast(4)), token + "AAAA"] {
            #expect([.signature, .malformed].contains(forge.refusal(changed)), "\(changed)")
        }
    }

    @Test func `over the limit is not looked at`() throws {
        let long = try forge.with(#""more":"\#(String(repeating: "a", count: TokenLimits.tokenBytes))""#)
        #expect(forge.refusal(long) == .tooLong)
        let scopes = (0..<500).map { "domain\($0):send" }
        let claims = Claims(subject: "ann", scopes: scopes, expires: Forge.now)
        #expect { try Token.make(claims, with: forge.hmac, at: Forge.now) } throws: {
            ($0 as? Malformed)?.field == "scope"
        }
    }

    @Test(arguments: [
        #""exp":1800000060"#, #""sub":"ann""#, #""sub":"ben""#, #""scope":"*:operate""#, #""aud":"millrace""#,
        #""a":1,"a":2"#,
    ])
    func `with a claim twice is refused`(_ more: String) throws {
        #expect(forge.refusal(try forge.with(more)) == .malformed)
    }

    @Test(arguments: [
        #"{"sub":"ann","aud":"millrace"}"#, #"{"sub":"ann","aud":"millrace","exp":"1800000060"}"#,
        #"{"sub":"ann","aud":"millrace","exp":null}"#, #"{"sub":"ann","aud":"millrace","exp":1e400}"#,
        #"{"sub":"ann","aud":"millrace","exp":99999999999999999999}"#, #"{"sub":"ann","aud":"millrace","exp":true}"#,
        #"{"aud":"millrace","exp":1800000060}"#, #"{"sub":"","aud":"millrace","exp":1800000060}"#,
        #"{"sub":1,"aud":"millrace","exp":1800000060}"#, #"{"sub":"a\nb","aud":"millrace","exp":1800000060}"#,
        #"{"sub":"ann\u200b","aud":"millrace","exp":1800000060}"#,
        #"{"sub":"ann","aud":"millrace","exp":1800000060,"nbf":"now"}"#,
        #"{"sub":"ann","aud":"millrace","exp":1800000060,"iat":{}}"#,
        #"{"sub":"ann","aud":"millrace","exp":1800000060,"jti":7}"#,
        #"{"sub":"ann","aud":"millrace","exp":1800000060,"scope":["tickets:send"]}"#,
    ])
    func `without a subject, an end, or with claims of other types is refused`(_ claims: String) throws {
        #expect(forge.refusal(try forge.token(Forge.sound, claims)) == .claims)
    }

    @Test(arguments: [#""others""#, #"["others"]"#, "null", #""Millrace""#, "[]", #"{"millrace":1}"#])
    func `for others is refused`(_ audience: String) throws {
        let claims = #"{"sub":"ann","exp":1800000060,"aud":\#(audience)}"#
        #expect(forge.refusal(try forge.token(Forge.sound, claims)) == .audience)
        #expect(forge.refusal(try forge.token(Forge.sound, #"{"sub":"ann","exp":1800000060}"#)) == .audience)
        let several = #"{"sub":"ann","exp":1800000060,"aud":["others","millrace"]}"#
        #expect(forge.refusal(try forge.token(Forge.sound, several)) == nil)
    }

    @Test func `holds from its first to its last moment, as far as clocks agree`() throws {
        let token = try forge.with(#""nbf":1800000000.5"#)
        let (first, last) = (Timestamp(1_800_000_000_500), Timestamp(1_800_000_060_000))
        #expect(forge.refusal(token, at: first - TokenLimits.leeway) == nil)
        #expect(forge.refusal(token, at: first - TokenLimits.leeway - .milliseconds(1)) == .notYet)
        #expect(forge.refusal(token, at: last + TokenLimits.leeway - .milliseconds(1)) == nil)
        #expect(forge.refusal(token, at: last + TokenLimits.leeway) == .expired)
    }

    @Test func `that is denied, by its identifier or its subject, is refused`() throws {
        let denying = { (denied: String) in
            try KeySet(forge.keys.text.replacing("\n]}", with: "\n],\"denied\":\(denied)}"))
        }
        let token = try forge.with(#""jti":"t1""#)
        for (denied, isDenied) in [
            (#"{"tokens":["t1"]}"#, true), (#"{"tokens":["t2"]}"#, false), (#"{"subjects":["ann"]}"#, true),
            (#"{"subjects":["Ann","ben"],"tokens":[]}"#, false), ("{}", false),
        ] {
            let keys = try denying(denied)
            #expect(((try? keys.claims(of: token, at: Forge.now)) == nil) == isDenied, "\(denied)")
        }
        for wrong in [#"{"token":["t1"]}"#, #"["t1"]"#, #"{"tokens":"t1"}"#, #"{"subjects":[1]}"#, "null"] {
            #expect(throws: KeyRefusal.self, "\(wrong)") { try denying(wrong) }
        }
    }
}

@Suite("A set of keys")
struct KeySetTests {
    private static let pair =
        #""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#
    private static let seed = #""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#
    private static let secret = #""kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS""#

    @Test func `has several, of which new tokens take the last, and keeps what it does not know`() throws {
        let text =
            #"{"keys":[{"kid":"a",\#(Self.pair),\#(Self.seed),"use":"sig"},{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB"}],"more":[1]}"#
        let set = try KeySet(text).adding("b", .hs256)
        #expect(set.keys.map(\.name) == ["a", "b"] && set.isSecret && set.keys.last?.canSign == true)
        #expect(set.text.contains(#""kty":"RSA""#) && set.text.contains(#""more":[1]"#))
        #expect(try KeySet(set.text).text == set.text)
        #expect(throws: KeyRefusal.self) { try set.adding("a", .edDSA) }
    }

    @Test func `shows its public keys alone`() throws {
        let set = try KeySet(#"{"keys":[{"kid":"a",\#(Self.pair),\#(Self.seed)},{"kid":"b",\#(Self.secret)}]}"#)
        let open = try #require(try set.opened())
        #expect(!open.isSecret && open.keys.map(\.name) == ["a"] && open.keys.allSatisfy { !$0.canSign })
        #expect(!open.text.contains("nWGx") && !open.text.contains("AyM1"))
        let claims = Claims(subject: "ann", scopes: [], expires: Timestamp(2_000_000_000_000))
        let token = try Token.make(claims, with: set.keys[0], at: Timestamp(0))
        #expect(try open.claims(of: token, at: Timestamp(0)).subject == "ann")
        #expect(throws: Malformed.self) { try Token.make(claims, with: open.keys[0], at: Timestamp(0)) }
        #expect(try KeySet.made("b", .hs256).opened() == nil)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"keys":[]}"#, #"{"keys":{}}"#, #"{"keys":[{}]}"#, #"{"keys":[1]}"#,
        #"{"keys":[{"kty":"RSA","kid":"r"}]}"#, #"{"keys":[{\#(secret)}]}"#, #"{"keys":[{"kid":"",\#(secret)}]}"#,
        #"{"keys":[{"kid":"a","kid":"a",\#(secret)}]}"#, #"{"keys":[{"kid":"a",\#(secret)},{"kid":"a",\#(pair)}]}"#,
        #"{"keys":[{"kid":"a",\#(secret)}],"keys":[]}"#, #"{"keys":[{"kid":"a","kty":"oct","k":"c2hvcnQ"}]}"#,
        #"{"keys":[{"kid":"a","kty":"oct"}]}"#, #"{"keys":[{"kid":"a","kty":"oct","k":"a+b/"}]}"#,
        #"{"keys":[{"kid":"a",\#(secret),"alg":"HS512"}]}"#, #"{"keys":[{"kid":"a",\#(secret),"alg":"EdDSA"}]}"#,
        #"{"keys":[{"kid":"a",\#(pair),"alg":"HS256"}]}"#, #"{"keys":[{"kid":"a",\#(secret),"use":"enc"}]}"#,
        #"{"keys":[{"kid":"a","kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
        #"{"keys":[{"kid":"a","kty":"OKP","crv":"Ed25519","x":"AQAB"}]}"#,
        #"{"keys":[{"kid":"a",\#(pair),"d":"AAAAne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}"#,
    ])
    func `that checks nothing, or is not sound, is refused`(_ text: String) {
        #expect(throws: KeyRefusal.self) { try KeySet(text) }
    }
}

@Suite("Base64url")
struct Base64URLTests {
    @Test func `has one text for each value`() {
        for (bytes, text) in [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("\u{fb}", "w7s"),
        ] {
            #expect(UnpaddedBase64.url.text(bytes.utf8) == text)
            #expect(UnpaddedBase64.url.bytes(Array(text.utf8)) == Array(bytes.utf8))
        }
        for none in ["Z", "Zg==", "Zh", "Zm9", "Zm9v ", "Zm+v", "Zm/v", "\n", "Zm9vY"] {
            #expect(UnpaddedBase64.url.bytes(Array(none.utf8)) == nil, "\(none)")
        }
    }
}
