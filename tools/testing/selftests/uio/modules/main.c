// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: the module, and the platform device that is the parent of all devices.
 */

#include <linux/dma-mapping.h>
#include <linux/module.h>

#include "uio_test.h"

struct platform_device *uio_test_pdev;

static struct platform_driver uio_test_devm_driver = {
	.probe	= uio_test_devm_probe,
	.driver	= {
		.name = "uio_test_devm",
	},
};

static int __init uio_test_init(void)
{
	int ret;

	uio_test_pdev = platform_device_register_simple("uio_test",
							PLATFORM_DEVID_NONE,
							NULL, 0);
	if (IS_ERR(uio_test_pdev))
		return PTR_ERR(uio_test_pdev);

	ret = dma_coerce_mask_and_coherent(&uio_test_pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto err_pdev;

	ret = platform_driver_register(&uio_test_devm_driver);
	if (ret)
		goto err_pdev;

	ret = uio_test_control_init();
	if (ret)
		goto err_driver;

	return 0;

err_driver:
	platform_driver_unregister(&uio_test_devm_driver);
err_pdev:
	platform_device_unregister(uio_test_pdev);
	return ret;
}

static void __exit uio_test_exit(void)
{
	uio_test_control_exit();
	platform_driver_unregister(&uio_test_devm_driver);
	uio_test_mem_exit();
	platform_device_unregister(uio_test_pdev);
}

module_init(uio_test_init)
module_exit(uio_test_exit)
MODULE_DESCRIPTION("Software UIO devices for tests");
MODULE_LICENSE("GPL");
