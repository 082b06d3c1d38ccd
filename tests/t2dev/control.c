// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control capability, by which a test changes the device at run time.
 */
#include <errno.h>

#include "device.h"

static void append(struct device *dev, const uint8_t *buf, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (buf[i] && dev->line_len < sizeof(dev->line) - 1)
			dev->line[dev->line_len++] = buf[i];
	dev->line[dev->line_len] = 0;
}

static void go(struct device *dev, uint32_t what)
{
	uint32_t result = EINVAL;

	if (what == T2DEV_GO_APPLY)
		result = device_configure(dev, dev->line);
	else if (what == T2DEV_GO_RESTORE)
		result = device_configure(dev, NULL);
	else if (what == T2DEV_GO_CLEAR)
		result = 0;
	else if (what == T2DEV_GO_DIE)
		dev->dying = true;
	dev->line_len = 0;
	dev->line[0] = 0;
	put32(&dev->config[dev->control + T2DEV_CTL_RESULT], result);
}

/* A write to configuration space; ignored outside this capability */
void control_write(struct device *dev, uint32_t at, const uint8_t *buf, uint32_t count)
{
	if (!dev->control)
		return;
	if (at == dev->control + T2DEV_CTL_DATA)
		append(dev, buf, count);
	else if (at == dev->control + T2DEV_CTL_GO && count == 4)
		go(dev, get32(buf));
}
