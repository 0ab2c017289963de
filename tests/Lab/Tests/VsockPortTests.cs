namespace Sandbox.Lab.Tests;

/// <summary>`sandbox run --vsock PORT=PATH`: a program in the guest and one on the host, each with its own system's sockets.</summary>
[Collection(DeviceGroup.Name)]
public sealed class VsockPortTests(LabHost lab)
{
    [Fact]
    public async Task Port_OfTheHost_LeadsToTheProgramThatListens_UntilItIsGone()
    {
        string peer = CompiledProgram.Of("tests/Lab/Tests/peer.c");
        CommandResult result = await lab.ScriptAsync(
            $$"""
            mkdir -p /tmp/left.root/{bin,dev,proc,sys,tmp,run,etc,root} && cp /bin/busybox {{peer}} /tmp/left.root/bin/ && ln -s busybox /tmp/left.root/bin/sh
            {{peer}} serve /tmp/left.service &
            for wait in $(seq 300); do [ -S /tmp/left.service ] && break; sleep 0.1; done
            $sandbox run --rootfs /tmp/left.root --vsock 5000=/tmp/left.service -- /bin/sh -c '
                /bin/peer call 5000 hello
                /bin/peer call 5000 again 2>/dev/null || echo refused
                /bin/peer call 5001 hello 2>/dev/null || echo nobody there'
            code=$?
            wait $! || code=99
            rm -rf /tmp/left.*
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("you said hello\nrefused\nnobody there", result);
    }

    [Fact]
    public async Task Port_OfTheHost_ServesManyConnectionsOneAfterTheOther()
    {
        string peer = CompiledProgram.Of("tests/Lab/Tests/peer.c");
        CommandResult result = await lab.ScriptAsync(
            $$"""
            mkdir -p /tmp/row.root/{bin,dev,proc,sys,tmp,run,etc,root} && cp /bin/busybox {{peer}} /tmp/row.root/bin/ && ln -s busybox /tmp/row.root/bin/sh
            {{peer}} serve /tmp/row.service 200 &
            for wait in $(seq 300); do [ -S /tmp/row.service ] && break; sleep 0.1; done
            $sandbox run --rootfs /tmp/row.root --vsock 5000=/tmp/row.service -- /bin/sh -c '
                /bin/peer row 5000 200
                /bin/peer call 5000 again 2>/dev/null || echo refused'
            code=$?
            wait $! || code=99
            rm -rf /tmp/row.*
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("200 in a row\nrefused", result);
    }

    /// <summary>The most is the first of the port and 64 slots; one more is reset. What another port has used of the slots is free again.</summary>
    [Fact]
    public async Task Port_OfTheHost_ServesManyConnectionsAtOnce()
    {
        string peer = CompiledProgram.Of("tests/Lab/Tests/peer.c");
        CommandResult result = await lab.ScriptAsync(
            $$"""
            mkdir -p /tmp/crowd.root/{bin,dev,proc,sys,tmp,run,etc,root} && cp /bin/busybox {{peer}} /tmp/crowd.root/bin/ && ln -s busybox /tmp/crowd.root/bin/sh
            {{peer}} gather /tmp/crowd.few 10 &
            few=$!
            {{peer}} gather /tmp/crowd.most 65 &
            most=$!
            for wait in $(seq 300); do [ -S /tmp/crowd.few ] && [ -S /tmp/crowd.most ] && break; sleep 0.1; done
            $sandbox run --rootfs /tmp/crowd.root --vsock 5000=/tmp/crowd.few --vsock 5001=/tmp/crowd.most -- /bin/sh -c '
                /bin/peer crowd 5000 10
                /bin/peer crowd 5001 100 2>/dev/null'
            code=$?
            wait $few || code=98
            wait $most || code=99
            rm -rf /tmp/crowd.*
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("10 at once\n65 at once", result);
    }

    /// <summary>The program in the guest begins to listen long after the host's has asked; another that listens later gets nothing.</summary>
    [Fact]
    public async Task Port_OfTheGuest_IsReachedByTheHostsProgramOnceSomebodyListens()
    {
        string peer = CompiledProgram.Of("tests/Lab/Tests/peer.c");
        CommandResult result = await lab.ScriptAsync(
            $$"""
            mkdir -p /tmp/right.root/{bin,dev,proc,sys,tmp,run,etc,root} && cp /bin/busybox {{peer}} /tmp/right.root/bin/ && ln -s busybox /tmp/right.root/bin/sh
            {{peer}} ask /tmp/right.client hello >/tmp/right.said &
            for wait in $(seq 300); do [ -S /tmp/right.client ] && break; sleep 0.1; done
            $sandbox run --rootfs /tmp/right.root --vsock guest:7000=/tmp/right.client -- /bin/sh -c '
                sleep 1
                /bin/peer listen 7000 && echo served
                timeout 3 /bin/peer listen 7000; [ $? = 0 ] || echo once'
            code=$?
            wait $! || code=99
            cat /tmp/right.said
            rm -rf /tmp/right.*
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("served\nonce\nyou said hello", result);
    }

    [Fact]
    public async Task Port_NobodyListensFor_IsToldInOneLine()
    {
        Expect.Failure(await lab.SandboxAsync("run", "--vsock", "5000=/no/such/socket", "--", "/bin/true"), "/no/such/socket", "start its program first");
    }
}
