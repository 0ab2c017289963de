using System.Globalization;
using Sandbox.Launch;
using Sandbox.Linux;
using Sandbox.Linux.SeLinux;

namespace Sandbox.Labels;

/// <summary>
/// The labels of a sandbox's images. One that it alone uses gets its pair and, if it has a name, its old label back at the end. One
/// that it only reads keeps the label that all share: it must have it already, because changing it is not one sandbox's matter.
/// </summary>
internal sealed class ImageLabels(RelabelJournal journal, CategoryPair pair) : IDisposable
{
    private readonly List<FdHandle> _exclusive = [];
    private bool _journalled;

    /// <param name="images">The open images.</param>
    /// <param name="label">The exclusive label, with the pair.</param>
    /// <exception cref="SandboxException">An image has not the shared label, is another sandbox's, or cannot be labelled.</exception>
    public void Apply(IEnumerable<DiskImage> images, string label)
    {
        List<FdHandle> files = [];
        List<JournalEntry> entries = [];
        foreach (DiskImage image in images)
        {
            if (!FileStatus.HasName(image.File))
            {
                Set(image.File, label, "an image made for this microVM"); // gone with its last user
            }
            else if (image.ReadOnly)
            {
                CheckShared(image.File);
            }
            else
            {
                entries.Add(Claim(image.File, label));
                files.Add(image.File);
            }
        }

        if (entries.Count > 0)
        {
            Journal(entries);
        }

        for (int index = 0; index < files.Count; index++)
        {
            Set(files[index], label, entries[index].Path);
        }
    }

    /// <summary>Every process of the sandbox must be gone.</summary>
    public void Dispose()
    {
        if (_journalled)
        {
            // What cannot be put back now stays in the journal.
            _ = new LabelRestorer(journal).Restore(pair);
        }

        foreach (FdHandle name in _exclusive)
        {
            name.Dispose();
        }
    }

    private void Journal(List<JournalEntry> entries)
    {
        try
        {
            journal.Write(pair, entries);
            _journalled = true;
        }
        catch (LinuxException failure)
        {
            throw new SandboxException(
                SandboxErrorKind.HostFailure, $"the journal of relabelled images cannot be written: {failure.Message}; make the folder writable or attach the disk read-only", failure);
        }
    }

    private static void CheckShared(FdHandle file)
    {
        if (TypeOf(file) is var type && type != SandboxTypes.SharedImage)
        {
            string path = FileStatus.PathOf(file);
            throw new SandboxException(
                SandboxErrorKind.DiskRejected, $"{path} is not labelled as an image that sandboxes share (it is {type}); chcon -t {SandboxTypes.SharedImage} {path}");
        }
    }

    /// <summary>This sandbox's for as long as it lives, and what to remember of it.</summary>
    private JournalEntry Claim(FdHandle file, string label)
    {
        string path = FileStatus.PathOf(file);
        (long device, long inode) = FileStatus.IdentityOf(file);
        _exclusive.Add(AbstractName.TryHold(string.Create(CultureInfo.InvariantCulture, $"sandbox/image/{device}/{inode}")) ?? throw InUse(path, "another sandbox"));
        string? before = FileLabel.Get(file);
        if (before is null || path.Contains('\n', StringComparison.Ordinal) || !SecurityContext.TryParse(before, out SecurityContext context))
        {
            throw new SandboxException(SandboxErrorKind.DiskRejected, $"{path} cannot carry a label of this microVM; put it on a file system with SELinux labels");
        }

        if (context.Type == SandboxTypes.SharedImage)
        {
            throw new SandboxException(
                SandboxErrorKind.DiskRejected, $"{path} is labelled as an image that sandboxes share; attach it read-only, or chcon -t {SandboxTypes.Image} {path}");
        }

        // A range or a single category is the host's own matter; a pair is somebody's machine.
        return context.TryGetPair(out CategoryPair others) ? throw InUse(path, $"whoever has {others.ToString()}") : new JournalEntry { Device = device, Inode = inode, Before = before, During = label, Path = path };
    }

    private static SandboxException InUse(string path, string whose) =>
        new(SandboxErrorKind.DiskRejected, $"{path} is in use by {whose}; attach another image, or see `sandbox selinux status`");

    private static string TypeOf(FdHandle file) => FileLabel.Get(file) is { } label && SecurityContext.TryParse(label, out SecurityContext context) ? context.Type : "without a label";

    private static void Set(FdHandle file, string label, string what)
    {
        try
        {
            FileLabel.Set(file, label);
        }
        catch (LinuxException failure)
        {
            throw new SandboxException(SandboxErrorKind.HostFailure, $"{what} cannot be labelled: {failure.Message}; chcon -t {SandboxTypes.Image} it, or see the denial with `dmesg | grep avc`", failure);
        }
    }
}
