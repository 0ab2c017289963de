namespace Sandbox.Control.Agent;

/// <summary>Where a connection is. Both ends keep it, and every message sent or received goes through <see cref="AgentOrder"/>.</summary>
public enum AgentPhase
{
    AwaitHello,
    AwaitConfigure,
    AwaitReady,
    Running,
    Stopping,
    Ended,
}

/// <summary>The order of messages: a table in which everything that is not named is forbidden.</summary>
public static class AgentOrder
{
    private static readonly (AgentPhase Phase, AgentSide Sender, AgentMessageType Type, AgentPhase Next)[] Table =
    [
        (AgentPhase.AwaitHello, AgentSide.Guest, AgentMessageType.Hello, AgentPhase.AwaitConfigure),
        (AgentPhase.AwaitConfigure, AgentSide.Host, AgentMessageType.Configure, AgentPhase.AwaitReady),
        (AgentPhase.AwaitConfigure, AgentSide.Guest, AgentMessageType.Failed, AgentPhase.Ended),
        (AgentPhase.AwaitReady, AgentSide.Guest, AgentMessageType.Ready, AgentPhase.Running),
        (AgentPhase.AwaitReady, AgentSide.Guest, AgentMessageType.Failed, AgentPhase.Ended),

        (AgentPhase.Running, AgentSide.Host, AgentMessageType.Exec, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Host, AgentMessageType.Data, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Host, AgentMessageType.End, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Host, AgentMessageType.Credit, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Host, AgentMessageType.Signal, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Host, AgentMessageType.Resize, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Host, AgentMessageType.Shutdown, AgentPhase.Stopping),
        (AgentPhase.Running, AgentSide.Guest, AgentMessageType.Started, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Guest, AgentMessageType.ExecFailed, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Guest, AgentMessageType.Data, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Guest, AgentMessageType.End, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Guest, AgentMessageType.Credit, AgentPhase.Running),
        (AgentPhase.Running, AgentSide.Guest, AgentMessageType.Exited, AgentPhase.Running),

        // Under way while the host asked for the end: still legal, of no interest.
        (AgentPhase.Stopping, AgentSide.Host, AgentMessageType.Data, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Host, AgentMessageType.End, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Host, AgentMessageType.Credit, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Host, AgentMessageType.Signal, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Host, AgentMessageType.Resize, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Guest, AgentMessageType.Started, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Guest, AgentMessageType.ExecFailed, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Guest, AgentMessageType.Data, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Guest, AgentMessageType.End, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Guest, AgentMessageType.Credit, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Guest, AgentMessageType.Exited, AgentPhase.Stopping),
        (AgentPhase.Stopping, AgentSide.Guest, AgentMessageType.ShutdownDone, AgentPhase.Ended),
    ];

    /// <summary>True, and moves <paramref name="phase"/>, when <paramref name="sender"/> may send this message now.</summary>
    public static bool TryAdvance(ref AgentPhase phase, AgentSide sender, AgentMessageType type)
    {
        foreach ((AgentPhase inPhase, AgentSide by, AgentMessageType what, AgentPhase next) in Table)
        {
            if (inPhase == phase && by == sender && what == type)
            {
                phase = next;
                return true;
            }
        }

        return false;
    }
}
