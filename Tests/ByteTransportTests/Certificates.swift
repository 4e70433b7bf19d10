import ByteTransport

/// Certificates made for these tests, good for a hundred years. Their keys are no secret and protect nothing.
enum Certificates {
    /// For `localhost`, `127.0.0.1` and `::1`, by the root.
    static let local = TLSIdentity(certificateChain: localCertificate, privateKey: localKey)

    /// For `other.example` and `*.wild.example`, by the root.
    static let other = TLSIdentity(certificateChain: otherCertificate, privateKey: otherKey)

    /// For `localhost` and `127.0.0.1`, by an intermediate that the root vouches for.
    static let chained = TLSIdentity(certificateChain: chainedCertificate + intermediate, privateKey: chainedKey)

    /// Like ``chained``, but the intermediate is missing.
    static let unchained = TLSIdentity(certificateChain: chainedCertificate, privateKey: chainedKey)

    /// For `localhost` and `127.0.0.1`, by the root, and out of date since 2020.
    static let expired = TLSIdentity(certificateChain: expiredCertificate, privateKey: expiredKey)

    /// The root that the tests trust.
    static let root = pem(
        """
        -----BEGIN CERTIFICATE-----
        MIIBfjCCASWgAwIBAgIUUH++Tm/bXtRBsTsipyA7PIr8A40wCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJdGVzdCByb290MCAXDTI2MTEyMzE1MjkyN1oYDzIxMjYxMDMw
        MTUyOTI3WjAUMRIwEAYDVQQDDAl0ZXN0IHJvb3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAATUccpE1SitcLWYWKBOyi0StNNiTw6NdCohQSA9DxA4/rrUIoVCsIEG
        uIN+dooqJZsIHKVfJYYS7KCjt7nCyyRko1MwUTAdBgNVHQ4EFgQUMqVkZxyqdN8x
        kMvHRJ8D9g1fRwwwHwYDVR0jBBgwFoAUMqVkZxyqdN8xkMvHRJ8D9g1fRwwwDwYD
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAH42pZuSmIIhJNjvegOkEa
        Fm7hnJLFwKP4SXqeq6btQQIgYWnOlpzJ9NE9srhUXZOPapj6uX2VHf8ZAF71SYUG
        agE=
        -----END CERTIFICATE-----
        """)

    /// The certificate of ``local``.
    static let localCertificate = pem(
        """
        -----BEGIN CERTIFICATE-----
        MIIBqDCCAU2gAwIBAgIUFWcVa3/iJ7gZNdR8SBfEappjXvkwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJdGVzdCByb290MCAXDTI2MTEyMzE1MjkyN1oYDzIxMjYxMDMw
        MTUyOTI3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAASbhtJDG9JSbHpV0wb/xowSYI860m5baeiUDKmu1E9+YgfaZpCqPCCd
        5tl1aoaWHp077vWJOc5FPXg7T05oCTWBo3sweTAsBgNVHREEJTAjgglsb2NhbGhv
        c3SHBH8AAAGHEAAAAAAAAAAAAAAAAAAAAAEwCQYDVR0TBAIwADAdBgNVHQ4EFgQU
        5f6/DQ6UjAYVv5EXt+K/29GfJjQwHwYDVR0jBBgwFoAUMqVkZxyqdN8xkMvHRJ8D
        9g1fRwwwCgYIKoZIzj0EAwIDSQAwRgIhAJFN8ThvTFDbAUzum5FIRdszaNsdOMs7
        mma0cyYaKpE6AiEAp85nJ4bQqdVwzPQb4wBL8Qk9u9/gckJOqwMQvODocwY=
        -----END CERTIFICATE-----
        """)

    /// Its key.
    static let localKey = pem(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQgYfsng1VeOp3Mld
        Ir8wj0gcG22b6u4qvLA2zYB9GNmhRANCAASbhtJDG9JSbHpV0wb/xowSYI860m5b
        aeiUDKmu1E9+YgfaZpCqPCCd5tl1aoaWHp077vWJOc5FPXg7T05oCTWB
        -----END PRIVATE KEY-----
        """)

    /// Its key with a password.
    static let lockedKey = pem(
        """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiplNjD6d2F9QICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEGbHp7C6QFf/10mUrp44f8IEgZDq
        GL8DdnB8eHl1miU0WBobpZhpFiNnUiT3Zz0z0AC+y3dZ/goMdqqzAAJ11ZkRG/MW
        QqVi0ZmIRaOOcPw8Em6a05SNFnXKqCXJVCDnoitsdNiDyZ6PuNnRFyd2t63sd9v2
        qou1K78u7PGmwRE56WCXAmgB4iJkYoKjuS4/e3i5iDcE4nyvO7L2Q0JT6Mgfwqk=
        -----END ENCRYPTED PRIVATE KEY-----
        """)

    /// The certificate of ``other``.
    static let otherCertificate = pem(
        """
        -----BEGIN CERTIFICATE-----
        MIIBpzCCAU2gAwIBAgIUFWcVa3/iJ7gZNdR8SBfEappjXvowCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJdGVzdCByb290MCAXDTI2MTEyMzE1MjkyN1oYDzIxMjYxMDMw
        MTUyOTI3WjAYMRYwFAYDVQQDDA1vdGhlci5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
        KoZIzj0DAQcDQgAEEqRwER2dfHg31cgEYn9ES3I8u5IGMDBzuTEJdIHm8FobZ6BW
        ZARja++jTibuwPS14v9FukZ2EmgTYd96UVvB3KN3MHUwKAYDVR0RBCEwH4INb3Ro
        ZXIuZXhhbXBsZYIOKi53aWxkLmV4YW1wbGUwCQYDVR0TBAIwADAdBgNVHQ4EFgQU
        hNGZCpZqTMB2upJ4JdqZaoovOfcwHwYDVR0jBBgwFoAUMqVkZxyqdN8xkMvHRJ8D
        9g1fRwwwCgYIKoZIzj0EAwIDSAAwRQIhAKJUuyR9eWwphZ8XPPGwL0IPt/MLt86p
        fAP4Y1rlMiRSAiBf0y0hbSG2QFqIeJxNEV/ZmPtWiPeRujd8599w08qFjA==
        -----END CERTIFICATE-----
        """)

    /// Its key.
    static let otherKey = pem(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5VdX1ff1fL50+OAg
        GnPl8TjtTnYAy2L5vbCt2zYn0/6hRANCAAQSpHARHZ18eDfVyARif0RLcjy7kgYw
        MHO5MQl0gebwWhtnoFZkBGNr76NOJu7A9LXi/0W6RnYSaBNh33pRW8Hc
        -----END PRIVATE KEY-----
        """)

    /// Between the root and ``chained``.
    static let intermediate = pem(
        """
        -----BEGIN CERTIFICATE-----
        MIIBhjCCAS2gAwIBAgIUFWcVa3/iJ7gZNdR8SBfEappjXvswCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJdGVzdCByb290MCAXDTI2MTEyMzE1MjkyOFoYDzIxMjYxMDMw
        MTUyOTI4WjAcMRowGAYDVQQDDBF0ZXN0IGludGVybWVkaWF0ZTBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABLuHY9eJmZXnOcYQ6XR5jOiV8wrasHsh+ov7bkUIFEri
        IIqt8Fj7ETIOGkqYR1wDupNAA4w9Swj+mf0Xpbz3dZKjUzBRMA8GA1UdEwEB/wQF
        MAMBAf8wHQYDVR0OBBYEFJUUPw/2gjLwZ6AU9nF3LPrHsI6BMB8GA1UdIwQYMBaA
        FDKlZGccqnTfMZDLx0SfA/YNX0cMMAoGCCqGSM49BAMCA0cAMEQCIDXBqtSxv1zl
        ar5+a9H/9lV0fb7TorV43sfpGPl2W8ZcAiBWB4ymdpZf0oxSr41la5Sk/XmWnmY0
        fozA+qkZ3xlQbg==
        -----END CERTIFICATE-----
        """)

    /// The certificate of ``chained``.
    static let chainedCertificate = pem(
        """
        -----BEGIN CERTIFICATE-----
        MIIBnTCCAUOgAwIBAgIUVT3PtTEAC2ujePqIp2MmaCMCuTwwCgYIKoZIzj0EAwIw
        HDEaMBgGA1UEAwwRdGVzdCBpbnRlcm1lZGlhdGUwIBcNMjYxMTIzMTUyOTI4WhgP
        MjEyNjEwMzAxNTI5MjhaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABKNN/qtE0s+31m/1wmnLT7P0LidLjdVis7tBhmqPSpF+
        fbEq/4+x1czVDOiLuv1vn1SeTGSmI8MFjYd92K0QglWjaTBnMBoGA1UdEQQTMBGC
        CWxvY2FsaG9zdIcEfwAAATAJBgNVHRMEAjAAMB0GA1UdDgQWBBTeBdidMG22IQB1
        K702Ulh9rL1moTAfBgNVHSMEGDAWgBSVFD8P9oIy8GegFPZxdyz6x7COgTAKBggq
        hkjOPQQDAgNIADBFAiEAmdtizJKfHjjs+auuOA7SfMkeMabuOGWyScSKVTCVMrAC
        IDSGfu1cvv9cY3Kht9/vKNA4P+COfqi0pvRsLRYrmwf1
        -----END CERTIFICATE-----
        """)

    /// Its key.
    static let chainedKey = pem(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsNhOlJxLUSBkdWce
        0eoRoaxXV9bnmK+zdHazOr4AYpGhRANCAASjTf6rRNLPt9Zv9cJpy0+z9C4nS43V
        YrO7QYZqj0qRfn2xKv+PsdXM1Qzoi7r9b59UnkxkpiPDBY2HfditEIJV
        -----END PRIVATE KEY-----
        """)

    /// The certificate of ``expired``.
    static let expiredCertificate = pem(
        """
        -----BEGIN CERTIFICATE-----
        MIIBgTCCASagAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAl0ZXN0IHJv
        b3QwHhcNMjAwMTAxMDAwMDAwWhcNMjAwMTAyMDAwMDAwWjAUMRIwEAYDVQQDDAls
        b2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATEc82bDHKmxda53sJq
        w/8XZEyatlpivbqXWsUQyjrqUq4by8C5N1xNIRXNYhDTEgjgsfIsQcsSebuzN/En
        2oyZo2kwZzAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCQYDVR0TBAIwADAd
        BgNVHQ4EFgQUJJQ6vKsSgBL/OFQuvQ3vqYdJ1ycwHwYDVR0jBBgwFoAUMqVkZxyq
        dN8xkMvHRJ8D9g1fRwwwCgYIKoZIzj0EAwIDSQAwRgIhAKYehS414zjGba48zFe1
        u+vT8WPNCRe9P27p9Z5COQM/AiEAlf/pCnJ2QnzRwK4KDLzU4+2RxGPS/Na4HBKu
        9H65xBs=
        -----END CERTIFICATE-----
        """)

    /// Its key.
    static let expiredKey = pem(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgY3kNGAY8eeXAtbYX
        wzU2dHVBxnmqBrMaFdW03TlF+zOhRANCAATEc82bDHKmxda53sJqw/8XZEyatlpi
        vbqXWsUQyjrqUq4by8C5N1xNIRXNYhDTEgjgsfIsQcsSebuzN/En2oyZ
        -----END PRIVATE KEY-----
        """)

    private static func pem(_ text: String) -> [UInt8] {
        Array((text + "\n").utf8)
    }
}
