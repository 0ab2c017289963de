/* The counterpart of sandbox-vmm's exit loop: the smallest VMM in C that runs kernels/micro/exits.S. Prints how many nanoseconds
   passed between its marks 'p' and 'm' (port writes), and 'm' and 'e' (memory writes). Usage: exits GUEST.elf */
#include <elf.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_BYTES (8UL << 20)

static void *must_map(int fd, size_t bytes, int flags)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (at == MAP_FAILED) { perror("mmap"); exit(1); }
    return at;
}

static int must(int result, const char *what)
{
    if (result < 0) { perror(what); exit(1); }
    return result;
}

static unsigned long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* Copies the loadable segments and returns the entry that the PVH note names. */
static unsigned load(const char *path, unsigned char *memory)
{
    static unsigned char file[1 << 20];
    int fd = must(open(path, O_RDONLY), path);
    must(read(fd, file, sizeof file), path);
    close(fd);
    Elf64_Ehdr *header = (void *)file;
    Elf64_Phdr *segment = (void *)(file + header->e_phoff);
    unsigned entry = 0;
    for (int i = 0; i < header->e_phnum; i++) {
        if (segment[i].p_type == PT_LOAD)
            memcpy(memory + segment[i].p_paddr, file + segment[i].p_offset, segment[i].p_filesz);
        else if (segment[i].p_type == PT_NOTE)
            memcpy(&entry, file + segment[i].p_offset + 16, sizeof entry);
    }
    return entry;
}

int main(int argc, char **argv)
{
    if (argc != 2) return 1;
    int kvm = must(open("/dev/kvm", O_RDWR), "/dev/kvm");
    int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    unsigned char *memory = must_map(-1, MEMORY_BYTES, MAP_SHARED | MAP_ANONYMOUS);
    unsigned entry = load(argv[1], memory);
    __u64 identity_map = 0xfffbc000;
    must(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map), "KVM_SET_IDENTITY_MAP_ADDR");
    must(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
    must(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
    struct kvm_userspace_memory_region region = {.memory_size = MEMORY_BYTES, .userspace_addr = (unsigned long)memory};
    must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
    int vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    struct kvm_run *run = must_map(vcpu, must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"), MAP_SHARED);
    struct kvm_sregs sregs;
    must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
    struct kvm_segment data = {.limit = ~0u, .selector = 0x18, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1};
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.cs = data;
    sregs.cs.selector = 0x10;
    sregs.cs.type = 11;
    sregs.cr0 |= 1;
    must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
    struct kvm_regs regs = {.rip = entry, .rflags = 2};
    must(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");

    unsigned long long marks[3] = {0};
    int seen = 0;
    while (seen < 3) {
        must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
        if (run->exit_reason == KVM_EXIT_IO) {
            if (run->io.port == 0x3f8)
                marks[seen++] = now();
        } else if (run->exit_reason != KVM_EXIT_MMIO) {
            fprintf(stderr, "exit %u\n", run->exit_reason);
            return 1;
        }
    }
    printf("%llu %llu", marks[1] - marks[0], marks[2] - marks[1]);
    return 0;
}
