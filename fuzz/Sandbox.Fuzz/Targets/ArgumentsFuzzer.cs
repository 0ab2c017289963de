using System.Text;
using Sandbox.Cli.Run;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Targets;

/// <summary>`sandbox run` with any words: a request, help, or one line that says what is wrong.</summary>
internal sealed class ArgumentsFuzzer : IFuzzer
{
    private static readonly string[] Words =
    [
        "--", "--memory", "--memory=256M", "--cpus", "--cpus=2", "--disk", "--disk=/a:ro", "--timeout", "--timeout=3s", "--env", "--env=A=b", "--rootfs",
        "--kernel", "--kernel-args", "--hostname", "--workdir", "--vsock", "--vsock=5000=/s", "--timing", "--verbose", "-h", "--help", "-x", "", "-", "ls", "1", "0", "-1", "256", "99999999999999999999",
        "1G", "1T", "16E", "9223372036854775807K", "1.5s", "1ms", "1d", "1e308s", "999999999h", "inf", "A", "A=", "=b", "/x:ro", ":ro", "ro:", "\0", "\ud800",
        "--net", "--net=user", "--net=tap=t0,queues=2", "-p", "--publish=8080:80", "-p=127.0.0.1:8080:80", "--ip=192.0.2.2/24", "--gateway=192.0.2.1", "--dns=192.0.2.3", "--net-rate=1M",
        "--disk-rate", "--disk-rate=1M,100", "--disk=/a:ro:direct", "--balloon", "--selinux", "--selinux=required", "--selinux=off", "--selinux-level=s0:c1,c2", "-it", "-i", "--device=vhost-user=/s",
        "--device=vhost-user=/s,type=fs,tag=t", "--vsock=guest:1024=/p", "--memory-limit=1G", "--pids-limit=64", "--cpu-limit=150%", "--io-limit=1M", "--cgroup-parent=/x",
    ];

    public string Name => "arguments";

    public string Subject => "command line of `sandbox run`";

    public int MaxInputBytes => 128;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        List<string> words = [];
        while (!input.IsEmpty && words.Count < 32)
        {
            words.Add(input.OneIn(6)
                ? Encoding.Latin1.GetString(input.Bytes(input.Below(12)))
                : input.OneIn(8) ? input.Pick<string>(Words) + "=" + input.Pick<string>(Words) : input.Pick<string>(Words));
        }

        try
        {
            RunRequest? request = RunArguments.Parse(words.ToArray());
            Reached.Note(1, request is null ? 0 : 1 + Math.Min(request.MicroVm.Disks.Count, 3));
            if (request is not null && request.Exec.Command.Count == 0)
            {
                throw new FindingException("arguments: a request without a command");
            }
        }
        catch (SandboxException refused)
        {
            Reached.Note(2, refused.Message.Length / 4);
            if (refused.Message.AsSpan().IndexOfAny('\n', '\r') >= 0 && !words.Exists(word => word.AsSpan().IndexOfAny('\n', '\r') >= 0))
            {
                throw new FindingException("arguments: an error of more than one line");
            }
        }
    }
}
