using System.Text;
using Sandbox.Linux;
using Sandbox.Proof;

namespace Sandbox.Cli.Doctor;

/// <summary>sandbox doctor --prove: 0 when every act was refused in every place, 1 when one was not.</summary>
internal static class ProveCommand
{
    private const int StandardOutput = 1;
    private const int NotRefused = 1;

    public static int Run(bool json)
    {
        ProofReport report = SandboxProof.RunAsync().GetAwaiter().GetResult();
        _ = FdIo.WriteAll(StandardOutput, Encoding.UTF8.GetBytes(json ? ProofJson.Of(report) : ProofText.Of(report)));
        return report.Holds ? 0 : NotRefused;
    }
}
