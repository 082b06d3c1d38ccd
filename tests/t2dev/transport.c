// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server's side of the vfio-user protocol, version 0.0, over a Unix socket.
 * Nothing that arrives is believed: a message with wrong contents is answered
 * with an errno, one whose extent cannot be known ends the connection.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "device.h"

#define MAX_DATA	(1024 * 1024)
#define MAX_MSG		(MAX_DATA + 4096)
#define MAX_FDS		8

enum {
	CMD_VERSION = 1,
	CMD_DMA_MAP,
	CMD_DMA_UNMAP,
	CMD_GET_INFO,
	CMD_GET_REGION_INFO,
	CMD_GET_REGION_IO_FDS,
	CMD_GET_IRQ_INFO,
	CMD_SET_IRQS,
	CMD_REGION_READ,
	CMD_REGION_WRITE,
	CMD_DMA_READ,
	CMD_DMA_WRITE,
	CMD_RESET,
};

#define FLAG_TYPE	0xf
#define FLAG_REPLY	1
#define FLAG_NO_REPLY	(1 << 4)
#define FLAG_ERROR	(1 << 5)

#define DMA_READ	(1 << 0)
#define DMA_WRITE	(1 << 1)
#define UNMAP_ALL	(1 << 1)

#define INFO_RESET	(1 << 0)
#define INFO_PCI	(1 << 1)
#define REGION_RW	3
#define IRQ_EVENTFD	(1 << 0)
#define IRQ_NORESIZE	(1 << 3)

struct header {
	uint16_t id;
	uint16_t command;
	uint32_t size;
	uint32_t flags;
	uint32_t error;
};

/* One message: the payload is replaced by that of the answer */
struct message {
	struct header header;
	uint8_t *payload;
	uint32_t len;
	int fd[MAX_FDS];
	unsigned int nfds;
};

/* Keep the descriptors that came with a message; too many are closed */
static void take_fds(struct message *m, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		unsigned int n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (unsigned int i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (m->nfds < MAX_FDS)
				m->fd[m->nfds++] = fd;
			else
				close(fd);
		}
	}
}

/* Receive exactly @len bytes: 1, 0 at the connection's end, or -errno */
static int receive(int fd, struct message *m, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		char control[CMSG_SPACE(sizeof(int) * 2 * MAX_FDS)];
		struct iovec iov = { (char *)buf + done, len - done };
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		take_fds(m, &msg);
		if (!n)
			return 0;
		done += n;
	}
	return 1;
}

static int send_all(int fd, const void *buf, size_t len)
{
	while (len) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf = (const char *)buf + n;
		len -= n;
	}
	return 0;
}

static int do_version(struct message *m)
{
	static const char caps[] =
		"{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576,"
		"\"pgsizes\":4096}}";

	if (m->len < 4)
		return -EINVAL;
	if (get16(m->payload) != 0)
		return -EOPNOTSUPP;
	put16(m->payload, 0);
	put16(m->payload + 2, 0);
	memcpy(m->payload + 4, caps, sizeof(caps));
	m->len = 4 + sizeof(caps);
	return 0;
}

static int do_dma_map(struct device *dev, struct message *m)
{
	struct dma_map map = { .fd = -1 };
	uint32_t flags;
	int ret;

	if (m->len < 32)
		return -EINVAL;
	flags = get32(m->payload + 4);
	map.offset = get64(m->payload + 8);
	map.addr = get64(m->payload + 16);
	map.size = get64(m->payload + 24);
	map.read = flags & DMA_READ;
	map.write = flags & DMA_WRITE;
	if (!map.size || map.addr + map.size - 1 < map.addr ||
	    map.offset + map.size < map.offset || m->nfds > 1)
		return -EINVAL;
	m->len = 0;
	/* Without a descriptor there is memory, but no way for us to reach it */
	if (!m->nfds)
		return 0;
	map.fd = m->fd[0];
	ret = dma_add(&dev->dma, &map);
	if (ret)
		return ret;
	dma_note_ram(&dev->ram, &map);
	return 0;
}

static int do_dma_unmap(struct device *dev, struct message *m)
{
	uint32_t flags;

	if (m->len < 24)
		return -EINVAL;
	flags = get32(m->payload + 4);
	if (flags & ~UNMAP_ALL)
		return -EINVAL;
	m->len = 24;
	if (flags & UNMAP_ALL) {
		dma_clear(&dev->dma);
		return 0;
	}
	/* What was mapped without a descriptor was not noted */
	dma_remove(&dev->dma, get64(m->payload + 8), get64(m->payload + 16));
	return 0;
}

static int do_get_info(struct message *m)
{
	if (m->len < 16)
		return -EINVAL;
	put32(m->payload, 16);
	put32(m->payload + 4, INFO_RESET | INFO_PCI);
	put32(m->payload + 8, NUM_REGIONS);
	put32(m->payload + 12, NUM_IRQS);
	m->len = 16;
	return 0;
}

static int do_get_region_info(struct device *dev, struct message *m)
{
	uint32_t index;
	uint64_t size;

	if (m->len < 32)
		return -EINVAL;
	index = get32(m->payload + 8);
	if (index >= NUM_REGIONS)
		return -EINVAL;
	size = device_region_size(dev, index);
	put32(m->payload, 32);
	put32(m->payload + 4, size ? REGION_RW : 0);
	put32(m->payload + 12, 0);
	put32(m->payload + 16, size);
	put32(m->payload + 20, size >> 32);
	memset(m->payload + 24, 0, 8);
	m->len = 32;
	return 0;
}

static int do_get_irq_info(struct device *dev, struct message *m)
{
	uint32_t index;

	if (m->len < 16)
		return -EINVAL;
	index = get32(m->payload + 8);
	if (index >= NUM_IRQS)
		return -EINVAL;
	put32(m->payload, 16);
	put32(m->payload + 4, device_irq_count(dev, index) ? IRQ_EVENTFD | IRQ_NORESIZE : 0);
	put32(m->payload + 12, device_irq_count(dev, index));
	m->len = 16;
	return 0;
}

static int do_set_irqs(struct device *dev, struct message *m)
{
	int ret;

	if (m->len < 20)
		return -EINVAL;
	ret = device_set_irqs(dev, get32(m->payload + 4), get32(m->payload + 8),
			      get32(m->payload + 12), get32(m->payload + 16), m->fd, m->nfds);
	m->len = 0;
	if (!ret)
		m->nfds = 0;	/* the device keeps them */
	return ret;
}

static int do_region_rw(struct device *dev, struct message *m, bool write)
{
	uint64_t at;
	uint32_t index, count;
	int ret;

	if (m->len < 16)
		return -EINVAL;
	at = get64(m->payload);
	index = get32(m->payload + 8);
	count = get32(m->payload + 12);
	if (count > MAX_DATA || (write && m->len - 16 < count))
		return -EINVAL;
	ret = device_access(dev, index, at, m->payload + 16, count, write);
	m->len = write ? 16 : 16 + count;
	return ret;
}

static int dispatch(struct device *dev, struct message *m)
{
	switch (m->header.command) {
	case CMD_VERSION:
		return do_version(m);
	case CMD_DMA_MAP:
		return do_dma_map(dev, m);
	case CMD_DMA_UNMAP:
		return do_dma_unmap(dev, m);
	case CMD_GET_INFO:
		return do_get_info(m);
	case CMD_GET_REGION_INFO:
		return do_get_region_info(dev, m);
	case CMD_GET_IRQ_INFO:
		return do_get_irq_info(dev, m);
	case CMD_SET_IRQS:
		return do_set_irqs(dev, m);
	case CMD_REGION_READ:
		return do_region_rw(dev, m, false);
	case CMD_REGION_WRITE:
		return do_region_rw(dev, m, true);
	case CMD_RESET:
		device_reset(dev, RESET_BUS);
		m->len = 0;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int answer(int fd, struct message *m, int ret)
{
	struct header reply = {
		.id = m->header.id,
		.command = m->header.command,
		.flags = FLAG_REPLY,
	};
	uint8_t head[16];

	if (m->header.flags & FLAG_NO_REPLY)
		return 0;
	if (ret) {
		m->len = 0;
		reply.flags |= FLAG_ERROR;
		reply.error = -ret;
	}
	reply.size = sizeof(head) + m->len;
	memcpy(head, &reply, sizeof(head));
	ret = send_all(fd, head, sizeof(head));
	return ret ?: send_all(fd, m->payload, m->len);
}

/* Receive and answer one message: 1, 0 at the connection's end, or -errno */
static int serve_one(struct device *dev, int fd, struct message *m)
{
	uint8_t head[16];
	int ret;

	m->nfds = 0;
	ret = receive(fd, m, head, sizeof(head));
	if (ret <= 0)
		return ret;
	memcpy(&m->header, head, sizeof(head));
	if (m->header.size < sizeof(head) || m->header.size > MAX_MSG) {
		log_line("message of %u bytes, expected %zu to %u", m->header.size,
			 sizeof(head), MAX_MSG);
		return -EPROTO;
	}
	m->len = m->header.size - sizeof(head);
	if (m->len) {
		ret = receive(fd, m, m->payload, m->len);
		if (ret <= 0)
			return ret;
	}
	if ((m->header.flags & FLAG_TYPE) == FLAG_REPLY)
		return 1;
	ret = dispatch(dev, m);
	if (ret)
		log_line("command %u of %u bytes is answered with %s", m->header.command,
			 m->header.size, strerror(-ret));
	return answer(fd, m, ret) ?: 1;
}

/* Serve a client until it leaves: 0, or -errno if it broke the protocol */
int transport_serve(struct device *dev, int fd)
{
	struct message m = { .payload = malloc(MAX_MSG) };
	int ret;

	if (!m.payload)
		return -ENOMEM;
	do {
		ret = serve_one(dev, fd, &m);
		for (unsigned int i = 0; i < m.nfds; i++)
			close(m.fd[i]);
		/* Not before the answer, which QEMU would wait for */
		if (dev->dying)
			exit(misuse_seen(dev) ? T2DEV_EXIT_MISUSE : 0);
	} while (ret > 0);
	free(m.payload);
	/* A client that goes away in the middle of a message is nothing special */
	return ret == -ECONNRESET || ret == -EPIPE ? 0 : ret;
}

/* A listening socket at @path, or -errno */
int transport_listen(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1)) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}
