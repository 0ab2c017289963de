namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>
/// What an administrator's relabelling does to images in use: `restorecon` and `setfiles` (one engine) put types back and leave levels, and with
/// -F put back all.
/// </summary>
[Collection(EnforcingGroup.Name)]
public sealed class RelabelTests(EnforcingLab lab)
{
    // Two disks: one in the folder for images, whose label file_contexts knows; one elsewhere, labelled by hand. After each word on its input
    // the guest writes to both, and says how that went.
    private const string Functions =
        """
        contexts=/var/tmp/contexts image=/var/lib/sandbox/images/relabel.img other=/var/tmp/relabel.img
        begin() {
            truncate -s 1M $image $other; chcon -t sbx_image_t $image; chcon -t $2 $other; trap '' PIPE
            exec 9> >(exec $1 run --selinux=required --disk $image --disk $other -- /bin/sh -c '
                while read word; do for disk in b c; do dd if=/dev/zero of=/dev/vd$disk bs=4096 count=1 conv=fsync 2>/dev/null && echo $word $disk written || echo $word $disk failed; done; done
                ' >/tmp/relabel.out 2>/tmp/relabel.err)
            sandbox_process=$!
        }
        write() { echo $1 >&9; for wait in $(seq 300); do [ "$(grep -sc "^$1" /tmp/relabel.out)" = 2 ] && break; sleep 0.1; done; grep -s "^$1" /tmp/relabel.out || cat /tmp/relabel.err; }
        labels() { stat -c %C $image $other | cut -d: -f3- | sed 's/c[0-9]*,c[0-9]*/PAIR/'; }
        end() { exec 9>&-; wait $sandbox_process; echo code $?; }
        """;

    [Fact]
    public async Task Setfiles_OverImagesInUse_DoesWhatTheReadmeSays()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            begin $sandbox sbx_image_t
            write first; labels
            setfiles $contexts /var/lib/sandbox $other; write types; labels
            chcon -t sbx_image_t $other; write again; labels
            setfiles -F $contexts /var/lib/sandbox; write forced; labels
            $sandbox run --disk $image -- /bin/true 2>&1 | grep -o 'in use by another sandbox'
            end; labels
            setfiles -nv $contexts /var/lib/sandbox; $churn left
            rm -f /tmp/relabel.* $image $other
            """);
        Expect.Text(
            """
            first b written
            first c written
            sbx_image_t:s0:PAIR
            sbx_image_t:s0:PAIR
            types b written
            types c failed
            sbx_image_t:s0:PAIR
            host_file_t:s0:PAIR
            again b written
            again c written
            sbx_image_t:s0:PAIR
            sbx_image_t:s0:PAIR
            forced b written
            forced c written
            sbx_image_t:s0
            sbx_image_t:s0:PAIR
            in use by another sandbox
            code 0
            sbx_image_t:s0
            sbx_image_t:s0
            """,
            result);
    }

    /// <summary>As on a distribution, where the launcher may give any label: the pair does not stay on an image whose type somebody has put back.</summary>
    [Fact]
    public async Task Image_WhoseTypeSetfilesPutBack_LosesThePairAtTheEnd()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            cp /opt/sandbox/bin/sandbox /opt/sandbox/bin/sandbox-unconfined; chcon -t host_file_t /opt/sandbox/bin/sandbox-unconfined
            begin /opt/sandbox/bin/sandbox-unconfined host_file_t
            write first; labels
            setfiles $contexts $other; write types; labels
            end; labels; $churn left
            rm -f /tmp/relabel.* $image $other /opt/sandbox/bin/sandbox-unconfined
            """);
        Expect.Text(
            """
            first b written
            first c written
            sbx_image_t:s0:PAIR
            sbx_image_t:s0:PAIR
            types b written
            types c failed
            sbx_image_t:s0:PAIR
            host_file_t:s0:PAIR
            code 0
            sbx_image_t:s0
            host_file_t:s0
            """,
            result);
    }
}
