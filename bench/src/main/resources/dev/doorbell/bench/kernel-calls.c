/* The loops that KernelCallsBenchmark runs in Java, in C: "kernel-calls WORK MILLISECONDS [GROUP]" prints nanoseconds for each operation. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BATCH 1000
#define GSI 24
#define VECTOR 0x41
#define DOORBELL 0xfee00000u

static int kvm, vm, event;
static struct kvm_msi message = {.address_lo = DOORBELL, .data = VECTOR};

static void check(int answer, const char *what) {
  if (answer < 0) {
    perror(what);
    exit(2);
  }
}

/* A second thread, as every process with Java has: with one alone the kernel counts no users of a file, and the C library looks for no
   cancellation. */
static void *idle(void *nothing) {
  for (;;) {
    pause();
  }
  return nothing;
}

static void machine(void) {
  kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  check(kvm, "/dev/kvm");
  vm = ioctl(kvm, KVM_CREATE_VM, 0);
  check(vm, "KVM_CREATE_VM");
  check(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000ul), "KVM_SET_TSS_ADDR");
  check(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
  int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  check(vcpu, "KVM_CREATE_VCPU");
  struct kvm_lapic_state lapic;
  check(ioctl(vcpu, KVM_GET_LAPIC, &lapic), "KVM_GET_LAPIC");
  *(uint32_t *)(lapic.regs + 0xf0) |= 0x100;
  check(ioctl(vcpu, KVM_SET_LAPIC, &lapic), "KVM_SET_LAPIC");
}

static void connect_event(void) {
  struct {
    struct kvm_irq_routing head;
    struct kvm_irq_routing_entry entry;
  } table;
  memset(&table, 0, sizeof table);
  table.head.nr = 1;
  table.entry.gsi = GSI;
  table.entry.type = KVM_IRQ_ROUTING_MSI;
  table.entry.u.msi.address_lo = DOORBELL;
  table.entry.u.msi.data = VECTOR;
  check(ioctl(vm, KVM_SET_GSI_ROUTING, &table), "KVM_SET_GSI_ROUTING");
  struct kvm_irqfd irqfd = {.fd = (uint32_t)event, .gsi = GSI};
  check(ioctl(vm, KVM_IRQFD, &irqfd), "KVM_IRQFD");
}

static void write_one(void) {
  uint64_t one = 1;
  check((int)write(event, &one, sizeof one), "write");
}

static void round_trip(void) {
  uint64_t count;
  write_one();
  check((int)read(event, &count, sizeof count), "read");
}

static void signal_msi(void) { check(ioctl(vm, KVM_SIGNAL_MSI, &message), "KVM_SIGNAL_MSI"); }

static void version(void) { check(ioctl(kvm, KVM_GET_API_VERSION, 0), "KVM_GET_API_VERSION"); }

static int container;
static struct vfio_iommu_type1_dma_map map = {
    .argsz = sizeof map, .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE, .iova = 0x100000};

static void take_group(const char *number) {
  char path[64];
  snprintf(path, sizeof path, "/dev/vfio/%s", number);
  container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
  check(container, "/dev/vfio/vfio");
  int group = open(path, O_RDWR | O_CLOEXEC);
  check(group, path);
  check(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), "VFIO_GROUP_SET_CONTAINER");
  check(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "VFIO_SET_IOMMU");
  map.size = (uint64_t)sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, map.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(page == MAP_FAILED ? -1 : 0, "mmap");
  map.vaddr = (uintptr_t)page;
}

static void map_page(void) {
  struct vfio_iommu_type1_dma_unmap unmap = {.argsz = sizeof unmap, .iova = map.iova, .size = map.size};
  check(ioctl(container, VFIO_IOMMU_MAP_DMA, &map), "VFIO_IOMMU_MAP_DMA");
  check(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap), "VFIO_IOMMU_UNMAP_DMA");
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int count, char **arguments) {
  if (count < 3) {
    return 2;
  }
  pthread_t beside;
  if (pthread_create(&beside, NULL, idle, NULL) != 0) {
    return 2;
  }
  void (*work)(void) = NULL;
  event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  check(event, "eventfd");
  if (strcmp(arguments[1], "eventfd") == 0) {
    work = round_trip;
  } else if (strcmp(arguments[1], "dmaMap") == 0) {
    if (count != 4) {
      return 2;
    }
    take_group(arguments[3]);
    work = map_page;
  } else {
    machine();
    if (strcmp(arguments[1], "irqfd") == 0) {
      connect_event();
      work = write_one;
    } else {
      work = strcmp(arguments[1], "signal") == 0 ? signal_msi : version;
    }
  }
  double limit = atof(arguments[2]) * 1e6;
  long done = 0;
  double began = now(), ended;
  do {
    for (int i = 0; i < BATCH; i++) {
      work();
    }
    done += BATCH;
    ended = now();
  } while (ended - began < limit);
  printf("%.2f\n", (ended - began) / done);
  return 0;
}
