using Sandbox.Launch;

namespace Sandbox.Proof;

/// <summary>
/// Proves on this host, with the executables that are installed here, what a compromised process of a sandbox can do: nothing. For platforms that
/// want to know it when they deploy; <c>sandbox doctor --prove</c> prints it.
/// </summary>
public static class SandboxProof
{
    /// <summary>
    /// Starts sandboxes in which one process after the other is replaced by a probe: in the same jail, with the same file descriptors, under the
    /// same filter, beside the others' real processes. Each probe attempts one act that must be refused. Takes some seconds; no guest runs.
    /// Nothing that an act could change is the host's own: where one succeeds, it hits what was made for it.
    /// </summary>
    /// <param name="options">The microVM whose processes are probed; its disks are not touched, a disk of its own is added, and a balloon and a network that leads nowhere where it has none; programs of the operator's (vsock ports, vhost-user devices) are left out. Null: the defaults.</param>
    /// <param name="cancellationToken">Ends every process that was started.</param>
    /// <returns>Every act with what came of it. A success of the attacker is a result, not an exception.</returns>
    /// <exception cref="SandboxException">An option is not valid, or the host lacks what a sandbox needs (KVM, a kernel, an executable).</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<ProofReport> RunAsync(MicroVmOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new MicroVmOptions();
        OptionCheck.Check(options);
        InstallLayout layout = new(options.ExecutableDirectory);
        using LaunchFiles files = await LaunchFiles.OpenAsync(options, layout, cancellationToken).ConfigureAwait(false);
        using LaunchFiles neighbourFiles = await LaunchFiles.OpenAsync(options, layout, cancellationToken).ConfigureAwait(false);
        using DiskImage disk = ProbedPlace.MakeDisk();
        files.Disks.Add(disk);
        // The network device needs the fd that it is given with user networking, not passt behind it: no frame ever comes.
        using NetworkLink? cable = files.Network is null ? NetworkLink.Open(new NetworkOptions()) : null;
        files.Network ??= cable;
        files.Balloon = true; // it is probed too, where the microVM has none
        using Baits baits = new();
        using ProofCast cast = new(layout);
        await using ProofStage neighbour = await ProofStage.StartAsync(cast, neighbourFiles, ProbedPlace.Block, cancellationToken).ConfigureAwait(false);
        ProofRun run = new(cast, files, baits, neighbour.Vmm.Child.Pid);
        List<ProcessProof> proofs = [];
        foreach (ProbedPlace place in ProbedPlace.All)
        {
            proofs.Add(new ProcessProof(place.Name, await run.AttemptAllAsync(place, cancellationToken).ConfigureAwait(false)));
        }

        return new ProofReport(proofs);
    }
}
