using Sandbox.Linux;

namespace Sandbox.Fuzz.Remote;

/// <summary>Where a session with a back end comes from: a socket that listens, or a process that is started for it.</summary>
internal interface IBackendSource : IDisposable
{
    /// <summary>A fresh connection; null when there is nobody to connect to (any more).</summary>
    FdHandle? Connect();

    /// <summary>The process behind the last connection.</summary>
    PeerProcess Peer { get; }

    /// <summary>The session is over. Null, or how the process has ended against the rules.</summary>
    string? Finish();

    /// <summary>One process serves every session: what it keeps, it leaks.</summary>
    bool IsOneProcess { get; }
}
