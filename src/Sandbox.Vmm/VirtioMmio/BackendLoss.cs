using Sandbox.VhostUser;

namespace Sandbox.Vmm.VirtioMmio;

/// <summary>Why a backend is given up.</summary>
public enum BackendLoss
{
    None,

    /// <summary>It closed its socket: most often its process has died.</summary>
    Closed,

    /// <summary>No answer within <see cref="VhostUserChannel.AnswerLimitMilliseconds"/>.</summary>
    TimedOut,

    /// <summary>The socket failed.</summary>
    SocketFailed,

    /// <summary>It broke the protocol, or refused what it must take: the fault says how.</summary>
    ProtocolBroken,
}

/// <summary>A loss and, where the protocol was broken, how.</summary>
public readonly record struct BackendEnd(BackendLoss Loss, VhostUserFault Fault)
{
    public bool IsSound => Loss == BackendLoss.None;

    /// <summary>For the operator, after the name of the device.</summary>
    public string Describe() => Loss switch
    {
        BackendLoss.Closed => "backend closed its vhost-user socket; its own message says why",
        BackendLoss.TimedOut => "backend did not answer a vhost-user request in time",
        BackendLoss.SocketFailed => "vhost-user socket failed",
        BackendLoss.ProtocolBroken => $"backend broke the vhost-user protocol ({Fault})",
        _ => "backend is sound",
    };
}
