namespace Sandbox.Lab.Tests;

/// <summary>`sandbox run -it` under a real terminal, which script(1) makes.</summary>
[Collection(LabGroup.Name)]
public sealed class TerminalTests(LabHost lab)
{
    private Task<CommandResult> SessionAsync(string session) => lab.ScriptAsync(
        $"""
        cat >/tmp/left.session <<'END'
        {session}
        END
        TERM=vt100 sandbox=$sandbox script -q -f -c 'bash /tmp/left.session' /tmp/left.out </dev/null >/dev/null
        tr -d '\r\000' </tmp/left.out | sed 's/^^@//' | grep -vE '^(Script.*)?$'
        rm -f /tmp/left.*
        """);

    [Fact]
    public async Task Terminal_OfTheGuest_HasTheOperatorsSizeAndFollowsIt()
    {
        CommandResult result = await SessionAsync(
            """
            stty rows 33 cols 101
            stty -g >/tmp/left.mode
            (until grep -q ready /tmp/left.out; do sleep 0.1; done; stty -g </dev/tty | cmp -s - /tmp/left.mode || touch /tmp/left.raw; stty rows 40 </dev/tty) &
            $sandbox run -it -- /bin/sh -c 'trap "stty size; exit 9" WINCH; tty; stty size; echo $TERM ready; while :; do sleep 0.1; done'
            echo code $?
            [ -e /tmp/left.raw ] && echo was raw
            stty -g | cmp - /tmp/left.mode && echo is as before
            """);
        Assert.Equal(["/dev/pts/0", "33 101", "vt100 ready", "40 101", "code 9", "was raw", "is as before"], result.Text.Split('\n'));
    }

    [Fact]
    public async Task Terminal_WhenASignalEndsTheRun_IsAsBefore()
    {
        CommandResult result = await SessionAsync(
            """
            stty -g >/tmp/left.mode
            $sandbox run -it -- /bin/sh -c 'trap "" TERM; echo ready; sleep 600' </dev/tty &
            until grep -q ready /tmp/left.out; do sleep 0.1; done
            kill -TERM $!; sleep 0.5; kill -TERM $!
            wait $!
            echo code $?
            stty -g | cmp - /tmp/left.mode && echo is as before
            """);
        Assert.Equal(["ready", "code 143", "is as before"], result.Text.Split('\n'));
    }

    [Fact]
    public async Task Terminal_WhereThereIsNone_IsToldInOneLine() =>
        Expect.Failure(await lab.SandboxAsync("run", "-it", "--", "/bin/true"), "needs a terminal");
}
